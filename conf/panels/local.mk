# conf/panels: plugins for control panels, installed as directories to be copied to where each panel wants them
panelsdir = $(pkgdatadir)/panels
PANEL_FILES = \
	README.md \
	directadmin/mailconvoy/plugin.conf \
	directadmin/mailconvoy/settings \
	directadmin/mailconvoy/hooks/user_destroy_post.sh \
	directadmin/mailconvoy/hooks/user_img.html \
	directadmin/mailconvoy/hooks/user_txt.html \
	directadmin/mailconvoy/images/user_icon.svg \
	directadmin/mailconvoy/scripts/install.sh \
	directadmin/mailconvoy/scripts/uninstall.sh \
	directadmin/mailconvoy/scripts/update.sh \
	directadmin/mailconvoy/user/index.html \
	directadmin/mailconvoy/user/open.raw \
	cpanel/install.json \
	cpanel/install.sh \
	cpanel/uninstall.sh \
	cpanel/mailconvoy.svg \
	cpanel/mailconvoy-removed.php \
	cpanel/mailconvoy/mailconvoy.live.php \
	cpanel/mailconvoy/settings.ini \
	webmin/mailconvoy/module.info \
	webmin/mailconvoy/config \
	webmin/mailconvoy/config.info \
	webmin/mailconvoy/defaultacl \
	webmin/mailconvoy/index.cgi \
	webmin/mailconvoy/mailconvoy-lib.pl \
	webmin/mailconvoy/virtual_feature.pl \
	webmin/mailconvoy/images/icon.gif \
	webmin/mailconvoy/lang/en \
	whmcs/modules/servers/mailconvoy/mailconvoy.php \
	whmcs/modules/servers/mailconvoy/lib/Api.php
EXTRA_DIST += $(PANEL_FILES:%=conf/panels/%)

# mailconvoyctl is where this installation put it; what is run stays so.
install-data-local:
	for f in $(PANEL_FILES); do \
		to='$(DESTDIR)$(panelsdir)'/$$f; \
		$(MKDIR_P) "$$(dirname "$$to")" || exit 1; \
		case $$f in \
		*.gif) cp '$(srcdir)'/conf/panels/$$f "$$to" || exit 1 ;; \
		*) sed 's|/usr/sbin/mailconvoyctl|$(sbindir)/mailconvoyctl|g' '$(srcdir)'/conf/panels/$$f >"$$to" || exit 1 ;; \
		esac; \
		if test -x '$(srcdir)'/conf/panels/$$f; then chmod 755 "$$to"; else chmod 644 "$$to"; fi || exit 1; \
	done
uninstall-local:
	cd '$(DESTDIR)$(panelsdir)' 2>/dev/null || exit 0; \
	rm -f $(PANEL_FILES) && find . -depth -type d -exec rmdir {} \; 2>/dev/null; \
	rmdir '$(DESTDIR)$(panelsdir)' 2>/dev/null || true
