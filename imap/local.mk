# imap/: the IMAP client; a file calls only files listed above it
noinst_LIBRARIES += imap/libmcvimap.a
imap_libmcvimap_a_SOURCES = \
	%D%/cause.c %D%/cause.h \
	%D%/mutf7.c %D%/mutf7.h \
	%D%/token.c %D%/token.h \
	%D%/stream.h \
	%D%/dial.c %D%/dial.h \
	%D%/tls.c %D%/tls.h \
	%D%/deflate.c %D%/deflate.h \
	%D%/stream.c \
	%D%/response.c %D%/response.h \
	%D%/session.h \
	%D%/command.c %D%/command.h \
	%D%/session.c \
	%D%/compress.c \
	%D%/enable.c \
	%D%/base64.c %D%/base64.h \
	%D%/saslprep.c %D%/saslprep.h \
	%D%/scram.c %D%/scram.h \
	%D%/sasl.c %D%/sasl.h \
	%D%/login.c \
	%D%/folder.c \
	%D%/ahead.c \
	%D%/fetch.c \
	%D%/esearch.c \
	%D%/body.c \
	%D%/flags.c \
	%D%/append.c \
	%D%/search.c %D%/search.h \
	%D%/probe.c %D%/probe.h
LIBMCVIMAP_LIBS = imap/libmcvimap.a $(LIBMCV_LIBS) $(ZLIB_LIBS) $(IDN_LIBS)
