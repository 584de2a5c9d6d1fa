# worker/: what this room builds and installs; a file calls only files listed above it
noinst_LIBRARIES += worker/libmcvworker.a
worker_libmcvworker_a_SOURCES = \
	%D%/argv.c %D%/argv.h \
	%D%/progress.c %D%/progress.h \
	%D%/outcome.c %D%/outcome.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/proctree.c %D%/proctree.h \
	%D%/keeper_wire.h \
	%D%/keeper.c %D%/keeper.h \
	%D%/keeper_main.c
