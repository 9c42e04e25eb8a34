package dev.tidestream.server.keys;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The file of API keys: a line for each, {@code NAME sha256:HEX [requests-per-minute=N] [tokens-per-minute=N] [streams=N]}, and lines that
 * are empty or begin with {@code #}. It is written as a whole, beside itself and then in its place, at first for nobody but its owner, then with
 * owner, group and mode of the one before; comments stay. Whom the system lets write to it makes keys, so a file that anybody may write is refused.
 */
public final class KeyFile {
    /** Most keys: each has an account, and may have its own metrics. */
    public static final int MAX_KEYS = 1000;

    private static final int MAX_BYTES = 1 << 20;
    private static final String HEADING = "# API keys of Tidestream: name, SHA-256 of the key, limits";
    private static final String HASH = "sha256:";
    private static final String REQUESTS = "requests-per-minute";
    private static final String TOKENS = "tokens-per-minute";
    private static final String STREAMS = "streams";

    private final Path path;

    public KeyFile(Path path) {
        this.path = path;
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /**
     * What it says.
     *
     * @throws IOException if it cannot be read
     * @throws KeyFileException if anybody may write it, or a line is wrong
     */
    public KeyRing read() throws IOException, KeyFileException {
        return ring(lines());
    }

    /**
     * Adds a key at the end; makes the file if there is none.
     *
     * @throws KeyFileException if a key has this name, or the file is of no use
     */
    public void add(ApiKey key) throws IOException, KeyFileException {
        List<String> lines = new ArrayList<>(Files.exists(path) ? lines() : List.of(HEADING));
        for (ApiKey other : ring(lines).keys()) {
            if (other.name().equals(key.name())) {
                throw new KeyFileException("%s: there is a key of this name: %s".formatted(path, key.name()));
            }
        }
        lines.add(line(key));
        ring(lines);
        write(lines);
    }

    /**
     * Takes a key out.
     *
     * @throws KeyFileException if there is none of this name, or the file is of no use
     */
    public void remove(String name) throws IOException, KeyFileException {
        List<String> lines = new ArrayList<>(lines());
        ring(lines);
        if (!lines.removeIf(line -> !isNone(line) && words(line)[0].equals(name))) {
            throw new KeyFileException("%s: no key has this name: %s".formatted(path, name));
        }
        write(lines);
    }

    private List<String> lines() throws IOException, KeyFileException {
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")
                && Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new KeyFileException("%s: anybody may write it, and so make keys; run chmod 600 on it".formatted(path));
        }
        byte[] bytes;
        try (var in = Files.newInputStream(path)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        }
        if (bytes.length > MAX_BYTES) {
            throw new KeyFileException("%s: too long for a file of keys: limit=%d bytes".formatted(path, MAX_BYTES));
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString().lines().toList();
        } catch (CharacterCodingException _) {
            throw new KeyFileException("%s: not a text in UTF-8".formatted(path));
        }
    }

    private KeyRing ring(List<String> lines) throws KeyFileException {
        List<ApiKey> keys = new ArrayList<>();
        Map<String, Integer> names = new HashMap<>();
        Map<KeyHash, Integer> hashes = new HashMap<>();
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1);
            if (isNone(line)) {
                continue;
            }
            ApiKey key;
            try {
                key = key(words(line));
            } catch (IllegalArgumentException e) {
                throw new KeyFileException("%s: line %d: %s".formatted(path, number, e.getMessage()));
            }
            Integer sameName = names.put(key.name(), number);
            Integer sameHash = hashes.put(key.hash(), number);
            if (sameName != null || sameHash != null) {
                throw new KeyFileException("%s: line %d: the same %s as in line %d"
                        .formatted(path, number, sameName != null ? "name" : "key", sameName != null ? sameName : sameHash));
            }
            keys.add(key);
        }
        if (keys.size() > MAX_KEYS) {
            throw new KeyFileException("%s: too many keys: keys=%d, limit=%d".formatted(path, keys.size(), MAX_KEYS));
        }
        return new KeyRing(keys);
    }

    private static boolean isNone(String line) {
        return line.isBlank() || line.stripLeading().startsWith("#");
    }

    private static String[] words(String line) {
        return line.strip().split("\\s+");
    }

    /** What is wrong is never shown: it may be a key in the wrong place. */
    private static ApiKey key(String[] words) {
        ApiKey.requireName(words[0]);
        if (words.length < 2 || !words[1].startsWith(HASH)) {
            throw new IllegalArgumentException("after the name comes %s and the hash of the key".formatted(HASH));
        }
        KeyHash hash = KeyHash.ofHex(words[1].substring(HASH.length()));
        Map<String, Integer> limits = new HashMap<>();
        for (int i = 2; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            String name = words[i].substring(0, Math.max(0, equals));
            if (!List.of(REQUESTS, TOKENS, STREAMS).contains(name)) {
                throw new IllegalArgumentException(
                        "word %d is no limit: %s=N, %s=N and %s=N are".formatted(i + 1, REQUESTS, TOKENS, STREAMS));
            }
            if (limits.put(name, number(name, words[i].substring(equals + 1))) != null) {
                throw new IllegalArgumentException("%s is there twice".formatted(name));
            }
        }
        return new ApiKey(words[0], hash, new KeyLimits(
                limits.getOrDefault(REQUESTS, 0), limits.getOrDefault(TOKENS, 0), limits.getOrDefault(STREAMS, 0)));
    }

    private static int number(String name, String text) {
        try {
            int number = Integer.parseInt(text);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException _) {
            // said below, with numbers out of range
        }
        throw new IllegalArgumentException("%s must be in 1..%d".formatted(name, Integer.MAX_VALUE));
    }

    private static String line(ApiKey key) {
        StringBuilder line = new StringBuilder(key.name()).append(' ').append(HASH).append(key.hash().hex());
        limit(line, REQUESTS, key.limits().requestsPerMinute());
        limit(line, TOKENS, key.limits().tokensPerMinute());
        limit(line, STREAMS, key.limits().streams());
        return line.toString();
    }

    private static void limit(StringBuilder line, String name, int value) {
        if (value > 0) {
            line.append(' ').append(name).append('=').append(value);
        }
    }

    /** Who could read the file can read the new one: the server may run as somebody else than who adds keys. */
    private static void likeTheOneBefore(Path before, Path file) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view == null) {
            return; // a file system without permissions
        }
        PosixFileAttributes old = Files.readAttributes(before, PosixFileAttributes.class);
        PosixFileAttributes now = view.readAttributes();
        try {
            if (!now.owner().equals(old.owner())) {
                view.setOwner(old.owner());
            }
            if (!now.group().equals(old.group())) {
                view.setGroup(old.group());
            }
        } catch (FileSystemException e) {
            throw new FileSystemException(before.toString(), null, "it is of %s:%s, and you cannot make a file of theirs"
                    .formatted(old.owner().getName(), old.group().getName()));
        }
        view.setPermissions(old.permissions());
    }

    /** A file that is being read is the old one or the new one, whole; a link stays a link. */
    private void write(List<String> lines) throws IOException {
        Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath();
        Path beside = Files.createTempFile(target.getParent(), ".api-keys", ".new"); // 0600, where there are permissions
        try {
            try (FileChannel out = FileChannel.open(beside, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            if (Files.exists(target)) {
                likeTheOneBefore(target, beside);
            }
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(beside); // if it was not moved
        }
    }
}
