package dev.tidestream.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Arguments as they were given. The JVM decodes them by the locale, and puts U+FFFD where it cannot: without a word, so that a model
 * would answer another text. They are UTF-8, whatever the locale: where there was something to replace, the bytes are read once more
 * from the system, and what is not UTF-8 is refused.
 */
final class Arguments {
    private static final char REPLACEMENT = '\uFFFD';
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline"); // proc_pid_cmdline(5): each ends with a NUL

    private Arguments() {}

    /** @throws IllegalArgumentException names the first argument that is not UTF-8 */
    static String[] decoded(String[] args) {
        return decoded(args, COMMAND_LINE);
    }

    /** @param commandLine the process's arguments as bytes, if there is such a file */
    static String[] decoded(String[] args, Path commandLine) {
        boolean replaced = false;
        for (String arg : args) {
            replaced |= arg.indexOf(REPLACEMENT) >= 0;
        }
        if (!replaced) {
            return args;
        }
        Optional<List<byte[]>> bytes = bytes(commandLine, args.length);
        String[] decoded = args.clone();
        for (int i = 0; i < args.length; i++) {
            if (args[i].indexOf(REPLACEMENT) >= 0) {
                decoded[i] = bytes.isPresent() ? strict(bytes.get().get(i), i) : unknown(args[i], i);
            }
        }
        return decoded;
    }

    private static String strict(byte[] bytes, int index) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            StringBuilder shown = new StringBuilder();
            for (byte b : bytes) {
                shown.append(b >= ' ' && b < 0x7F ? String.valueOf((char) b) : "\\x%02x".formatted(b));
            }
            throw new IllegalArgumentException("argument %d is not UTF-8: %s".formatted(index + 1, shown), e);
        }
    }

    private static String unknown(String arg, int index) {
        throw new IllegalArgumentException("argument %d cannot be read in this locale (%s), LC_ALL=C.UTF-8 may help: %s"
                .formatted(index + 1, System.getProperty("sun.jnu.encoding"), arg));
    }

    /** The last arguments of the process, which are those of the main method. */
    private static Optional<List<byte[]>> bytes(Path commandLine, int count) {
        byte[] all;
        try {
            all = Files.readAllBytes(commandLine);
        } catch (IOException e) {
            return Optional.empty(); // not Linux
        }
        List<byte[]> args = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < all.length; at++) {
            if (all[at] == 0) {
                byte[] arg = new byte[at - from];
                System.arraycopy(all, from, arg, 0, arg.length);
                args.add(arg);
                from = at + 1;
            }
        }
        return args.size() < count ? Optional.empty() : Optional.of(args.subList(args.size() - count, args.size()));
    }
}
