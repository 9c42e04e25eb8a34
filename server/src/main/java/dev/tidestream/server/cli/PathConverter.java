package dev.tidestream.server.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

import picocli.CommandLine;

import dev.tidestream.console.Printable;

/**
 * Paths of all options. A blank one is wrong usage: an empty path is the working directory to the system, and what a script meant by
 * {@code --data-dir "$DIR"} with {@code DIR} unset is not.
 */
final class PathConverter implements CommandLine.ITypeConverter<Path> {
    private static final int SHOWN_CHARS = 200;

    @Override
    public Path convert(String text) {
        if (text.isBlank()) {
            throw new CommandLine.TypeConversionException("a path must not be blank: " + Printable.quoted(text, SHOWN_CHARS));
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new CommandLine.TypeConversionException("%s is no path: %s".formatted(Printable.quoted(text, SHOWN_CHARS), e.getReason()));
        }
    }
}
