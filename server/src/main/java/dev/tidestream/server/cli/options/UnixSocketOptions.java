package dev.tidestream.server.cli.options;

import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.server.transport.http.UnixSocket;

/** Options of {@code serve} for a Unix-domain socket. */
public final class UnixSocketOptions {
    private static final Pattern OCTAL = Pattern.compile("0?[0-7]{3}");
    private static final int SHOWN_CHARS = 64;
    private static final int OCTAL_RADIX = 8;
    private static final int BITS = 9;

    @Option(names = "--unix-socket", paramLabel = "FILE",
            description = "Listen on a Unix-domain socket, too, for clients of this machine that may write the file: the same, without TLS."
                    + " With --port none, there alone.")
    private @Nullable Path path;

    private Set<PosixFilePermission> mode = UnixSocket.DEFAULT_MODE;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--unix-socket-mode", paramLabel = "MODE", defaultValue = "660",
            description = "Who may connect there, as chmod has it in digits (default: ${DEFAULT-VALUE}, owner and group).")
    void setMode(String text) {
        if (!OCTAL.matcher(text).matches()) {
            throw new ParameterException(spec.commandLine(), "--unix-socket-mode must be three octal digits: %s, for example 660"
                    .formatted(Printable.quoted(text, SHOWN_CHARS)));
        }
        int bits = Integer.parseInt(text, OCTAL_RADIX);
        mode = EnumSet.noneOf(PosixFilePermission.class);
        int bit = BITS;
        for (PosixFilePermission permission : PosixFilePermission.values()) { // from the owner's r to the x of others
            bit--;
            if (((bits >> bit) & 1) == 1) {
                mode.add(permission);
            }
        }
    }

    /** Null for none. */
    public @Nullable UnixSocket socket() {
        if (path == null) {
            return null;
        }
        if (path.toString().isBlank()) {
            throw new ParameterException(spec.commandLine(), "--unix-socket must not be blank");
        }
        return new UnixSocket(path, mode);
    }
}
