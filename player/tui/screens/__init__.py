"""The screens: the station, the library, the pickers and the help page."""
