# conf/: what an installation is configured with
EXTRA_DIST += \
	%D%/nginx/mailconvoy-fastcgi.inc
