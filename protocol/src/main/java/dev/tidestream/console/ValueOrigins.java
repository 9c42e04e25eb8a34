package dev.tidestream.console;

import java.util.List;
import java.util.Optional;

import picocli.CommandLine.ParameterException;

/** Says where a value came from that is not one of the command line; for providers of default values. */
public interface ValueOrigins {

    /**
     * Where the value came from that an error is about, e.g. a file and a line; nothing if it was an argument.
     *
     * @param message what is said of the error
     * @param args the command line
     */
    Optional<String> originOf(ParameterException error, String message, List<String> args);
}
