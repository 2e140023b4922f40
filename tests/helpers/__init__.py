"""What several tests share: a toy run, crash trials, odd files, a browser, parsed source."""
