package dev.tidestream.server.configuration;

import java.nio.file.Path;

/** Where the value of a setting comes from, strongest first. */
public sealed interface Origin {

    /** As people read it, e.g. {@code tidestream.yaml:7}. */
    String words();

    /** The command line. */
    record Flag() implements Origin {
        @Override
        public String words() {
            return "flag";
        }
    }

    /** @param variable that has the value */
    record Environment(String variable) implements Origin {
        @Override
        public String words() {
            return variable;
        }
    }

    /** @param line counted from 1 */
    record FileLine(Path file, int line) implements Origin {
        @Override
        public String words() {
            return file + ":" + line;
        }
    }

    /** Nobody has said anything. */
    record Default() implements Origin {
        @Override
        public String words() {
            return "default";
        }
    }
}
