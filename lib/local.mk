# lib/: what every room may call; a file calls only files listed above it
noinst_LIBRARIES += lib/libmcv.a
lib_libmcv_a_SOURCES = \
	%D%/err.c %D%/err.h \
	%D%/mem.c %D%/mem.h \
	%D%/arena.c %D%/arena.h \
	%D%/buf.c %D%/buf.h \
	%D%/json_wipe.c %D%/json_wipe.h \
	%D%/say.c %D%/say.h \
	%D%/clock.c %D%/clock.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/visible.c %D%/visible.h \
	%D%/escape.c %D%/escape.h \
	%D%/parse.c %D%/parse.h \
	%D%/origin.c %D%/origin.h \
	%D%/log.c %D%/log.h \
	%D%/secretfile.c %D%/secretfile.h \
	%D%/token.c %D%/token.h \
	%D%/scope.c %D%/scope.h \
	%D%/mime.c %D%/mime.h \
	%D%/redact.c %D%/redact.h \
	%D%/netmask.c %D%/netmask.h \
	%D%/portlist.c %D%/portlist.h \
	%D%/joboption.c %D%/joboption.h \
	%D%/joboptions.c %D%/joboptions.h %D%/joboptions_text.c \
	%D%/password.c %D%/password.h \
	%D%/vault.c %D%/vault.h \
	%D%/secretbox.c %D%/secretbox.h \
	%D%/conf_text.c %D%/conf_text.h \
	%D%/conf.h %D%/conf_check.c %D%/conf_check.h \
	%D%/conf.c \
	%D%/template.h %D%/template_ast.h \
	%D%/template_parse.c \
	%D%/template_render.c \
	%D%/template.c
LIBMCV_LIBS = lib/libmcv.a $(JSONC_LIBS) $(CONFUSE_LIBS) $(CRYPT_LIBS) $(OPENSSL_LIBS)
