# engine/: the built-in engine; a file calls only files listed above it
noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_SOURCES = \
	%D%/identity.c %D%/identity.h \
	%D%/options.h \
	%D%/options_rules.c %D%/options_rules.h \
	%D%/options.c \
	%D%/output.c %D%/output.h \
	%D%/secret.c %D%/secret.h \
	%D%/report.c %D%/report.h \
	%D%/stop.c %D%/stop.h \
	%D%/match.c %D%/match.h \
	%D%/folders.h \
	%D%/names.c %D%/names.h \
	%D%/special.c %D%/special.h \
	%D%/chosen.c %D%/chosen.h \
	%D%/folders.c \
	%D%/link.c %D%/link.h \
	%D%/link_folders.c \
	%D%/listing.c %D%/listing.h \
	%D%/selection.c %D%/selection.h \
	%D%/digest.c %D%/digest.h \
	%D%/kin.c %D%/kin.h \
	%D%/content.c %D%/content.h \
	%D%/tap.c %D%/tap.h \
	%D%/transfer.h \
	%D%/passage.c %D%/passage.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/group.c %D%/group.h \
	%D%/flow.c %D%/flow.h \
	%D%/single.c %D%/single.h \
	%D%/transfer.c \
	%D%/flags.c %D%/flags.h \
	%D%/crowd.c %D%/crowd.h \
	%D%/json.c %D%/json.h \
	%D%/tally.c %D%/tally.h \
	%D%/verify_map.c %D%/verify_map.h \
	%D%/verify_words.c %D%/verify_words.h \
	%D%/verify.h %D%/verify_group.h \
	%D%/verify_judge.c \
	%D%/verify.c \
	%D%/crew.c %D%/crew.h \
	%D%/job.h \
	%D%/state.h \
	%D%/state_codec.c %D%/state_codec.h \
	%D%/state_file.c %D%/state_file.h \
	%D%/state.c \
	%D%/refresh.c %D%/refresh.h \
	%D%/copy.h \
	%D%/recall.c %D%/recall.h \
	%D%/spare.c %D%/spare.h \
	%D%/survey.c %D%/survey.h \
	%D%/sizes.c \
	%D%/create.c %D%/create.h \
	%D%/errand.c %D%/errand.h \
	%D%/copy.c \
	%D%/surplus.c %D%/surplus.h
dist_man_MANS += %D%/mailconvoy-sync.1
bin_PROGRAMS += engine/mailconvoy-sync
engine_mailconvoy_sync_SOURCES = %D%/main.c
engine_mailconvoy_sync_LDADD = engine/libengine.a $(LIBMCVIMAP_LIBS) -lm
