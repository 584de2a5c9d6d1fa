# conf/: what an installation is configured with; paths are filled in at build time
nginxdir = $(pkgdatadir)/nginx
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d

CONF_FILLED = \
	%D%/nginx/mailconvoy-http.inc \
	%D%/nginx/mailconvoy-server.inc \
	%D%/nginx/mailconvoy-limits.inc \
	%D%/nginx/mailconvoy-local.conf \
	%D%/nginx/mailconvoy-tls.conf \
	%D%/systemd/mailconvoy-web.socket \
	%D%/systemd/mailconvoy-web.service \
	%D%/systemd/mailconvoy-sso.socket \
	%D%/systemd/mailconvoy-sso.service \
	%D%/systemd/mailconvoy-worker.service \
	%D%/systemd/sysusers.conf \
	%D%/systemd/tmpfiles.conf
CONF_MADE = $(CONF_FILLED) %D%/mailconvoy.conf.sample %D%/man/mailconvoy.conf.5

$(CONF_FILLED): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@confdir[@]|$(pkgconfdir)|g' \
		-e 's|@statedir[@]|$(mailconvoy_statedir)|g' \
		-e 's|@rundir[@]|$(mailconvoy_rundir)|g' \
		-e 's|@staticdir[@]|$(staticdir)|g' \
		-e 's|@nginxdir[@]|$(nginxdir)|g' $(srcdir)/$@.in >$@.part && mv $@.part $@
%D%/nginx/mailconvoy-http.inc: %D%/nginx/mailconvoy-http.inc.in
%D%/nginx/mailconvoy-server.inc: %D%/nginx/mailconvoy-server.inc.in
%D%/nginx/mailconvoy-limits.inc: %D%/nginx/mailconvoy-limits.inc.in
%D%/nginx/mailconvoy-local.conf: %D%/nginx/mailconvoy-local.conf.in
%D%/nginx/mailconvoy-tls.conf: %D%/nginx/mailconvoy-tls.conf.in
%D%/systemd/mailconvoy-web.socket: %D%/systemd/mailconvoy-web.socket.in
%D%/systemd/mailconvoy-web.service: %D%/systemd/mailconvoy-web.service.in
%D%/systemd/mailconvoy-sso.socket: %D%/systemd/mailconvoy-sso.socket.in
%D%/systemd/mailconvoy-sso.service: %D%/systemd/mailconvoy-sso.service.in
%D%/systemd/mailconvoy-worker.service: %D%/systemd/mailconvoy-worker.service.in
%D%/systemd/sysusers.conf: %D%/systemd/sysusers.conf.in
%D%/systemd/tmpfiles.conf: %D%/systemd/tmpfiles.conf.in

# The sample and the manual's list of settings come from the table that the parser uses.
%D%/mailconvoy.conf.sample: ctl/mailconvoyctl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ctl/mailconvoyctl$(EXEEXT) conf sample >$@.part && mv $@.part $@
%D%/man/mailconvoy.conf.5: %D%/mailconvoy.conf.sample %D%/man/mailconvoy.conf.5.in %D%/man/settings.awk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(AWK) -f $(srcdir)/%D%/man/settings.awk \
		$(srcdir)/%D%/man/mailconvoy.conf.5.in %D%/mailconvoy.conf.sample >$@.part && mv $@.part $@

dist_nginx_DATA = %D%/nginx/mailconvoy-fastcgi.inc
nginx_DATA = \
	%D%/nginx/mailconvoy-http.inc \
	%D%/nginx/mailconvoy-server.inc \
	%D%/nginx/mailconvoy-limits.inc \
	%D%/nginx/mailconvoy-local.conf \
	%D%/nginx/mailconvoy-tls.conf
systemdsystemunit_DATA = \
	%D%/systemd/mailconvoy-web.socket \
	%D%/systemd/mailconvoy-web.service \
	%D%/systemd/mailconvoy-sso.socket \
	%D%/systemd/mailconvoy-sso.service \
	%D%/systemd/mailconvoy-worker.service
pkgdata_DATA = %D%/mailconvoy.conf.sample
dist_man_MANS += \
	%D%/man/mailconvoy.7 \
	%D%/man/mailconvoyctl.8 \
	%D%/man/mailconvoy-worker.8
man_MANS += %D%/man/mailconvoy.conf.5
CLEANFILES += $(CONF_MADE)
EXTRA_DIST += $(CONF_FILLED:=.in) %D%/man/mailconvoy.conf.5.in %D%/man/settings.awk

# A configuration that is there already is the administrator's.  Whatever the umask, web and worker read what is
# installed for them.
install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	test -d '$(DESTDIR)$(pkgconfdir)' || $(INSTALL) -d -m 0755 '$(DESTDIR)$(pkgconfdir)'
	find '$(DESTDIR)$(pkgdatadir)' -type d -exec chmod 0755 {} +
	$(INSTALL_DATA) %D%/systemd/sysusers.conf '$(DESTDIR)$(sysusersdir)/mailconvoy.conf'
	$(INSTALL_DATA) %D%/systemd/tmpfiles.conf '$(DESTDIR)$(tmpfilesdir)/mailconvoy.conf'
	test -e '$(DESTDIR)$(pkgconfdir)/mailconvoy.conf' || \
		$(INSTALL_DATA) %D%/mailconvoy.conf.sample '$(DESTDIR)$(pkgconfdir)/mailconvoy.conf'
uninstall-hook:
	rm -f '$(DESTDIR)$(sysusersdir)/mailconvoy.conf' '$(DESTDIR)$(tmpfilesdir)/mailconvoy.conf'
	! cmp -s %D%/mailconvoy.conf.sample '$(DESTDIR)$(pkgconfdir)/mailconvoy.conf' || \
		rm -f '$(DESTDIR)$(pkgconfdir)/mailconvoy.conf'
	for d in '$(mailtemplatesdir)' '$(templatesdir)' '$(staticdir)' '$(sqldir)' '$(nginxdir)' '$(pkgdatadir)' '$(pkgconfdir)'; do \
		rmdir "$(DESTDIR)$$d" 2>/dev/null || true; \
	done
all-local: $(CONF_MADE)
