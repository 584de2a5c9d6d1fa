# fcgi/: what this room builds and installs; a file calls only files listed above it
noinst_LIBRARIES += fcgi/libmcvfcgi.a
fcgi_libmcvfcgi_a_SOURCES = \
	%D%/request.h %D%/params.c \
	%D%/request.c \
	%D%/form.c %D%/form.h \
	%D%/url.c %D%/url.h \
	%D%/view.c %D%/view.h \
	%D%/response.c %D%/response.h \
	%D%/route.c %D%/route.h
LIBMCVFCGI_LIBS = fcgi/libmcvfcgi.a
EXTRA_DIST += fcgi/VIEWMODELS.md
