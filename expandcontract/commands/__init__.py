"""One verb a file: plain arguments in, a result out; prints nothing."""
