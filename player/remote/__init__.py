"""Remote control: the running player speaks MPD's protocol, and commands, screens and desktops drive it from outside."""
