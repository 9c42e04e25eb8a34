package dev.tidestream.server.cli.keys;

import java.io.IOException;
import java.nio.file.Path;

import picocli.CommandLine.Option;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyFileException;

/** Which file the {@code keys} commands work on. */
final class KeyFileOption {
    @Option(names = "--file", paramLabel = "FILE", defaultValue = "api-keys",
            description = "The file of keys (default: ${DEFAULT-VALUE}, in this directory).")
    private Path path = Path.of("api-keys");

    /** What is done with the file. */
    interface Work<T> {
        T on(KeyFile file) throws IOException, KeyFileException;
    }

    Path path() {
        return path;
    }

    /** @throws CliException if it fails, with the reason */
    <T> T with(Work<T> work) {
        try {
            return work.on(new KeyFile(path));
        } catch (KeyFileException e) {
            throw new CliException(String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new CliException("%s: %s".formatted(path, Reasons.of(e)), e);
        }
    }
}
