<?php
/* What cPanel's page class does, as far as our page uses it: put before the page by auto_prepend_file. */
class CPANEL
{
    public function header($title, $app)
    {
        return "<header>$title ($app)</header>\n";
    }

    public function footer()
    {
        return "<footer></footer>\n";
    }

    public function end()
    {
        echo "<!-- ended -->\n";
    }
}
