package dev.tidestream.server.keys;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class KeyFileTest {
    private static final String HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"; // of "password"

    @TempDir
    Path temp;

    private Path path() {
        return temp.resolve("api-keys");
    }

    private KeyFile file() {
        return new KeyFile(path());
    }

    private static ApiKey key(String name, String text) {
        return new ApiKey(name, KeyHash.of(text), KeyLimits.NONE);
    }

    @Test
    void shouldMakeKeysOf256Bits() {
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            String key = KeyText.generate();
            assertTrue(key.matches("ts-[A-Za-z0-9_-]{43}"), key);
            keys.add(key);
        }
        assertEquals(100, keys.size());
    }

    @Test
    void shouldKnowAKeyByItsSha256() throws Exception {
        Files.writeString(path(), "alice sha256:" + HASH + "\n");
        KeyRing ring = file().read();
        assertEquals(List.of(key("alice", "password")), ring.keys());
        assertEquals("alice", ring.find("password").orElseThrow().name());
        for (String other : List.of("", "Password", "password ", HASH, "sha256:" + HASH)) {
            assertTrue(ring.find(other).isEmpty(), other);
        }
        assertTrue(new KeyRing(List.of()).find("password").isEmpty());
    }

    @Test
    void shouldAddAndRemoveAndKeepTheRest() throws Exception {
        file().add(key("alice", "a"));
        Files.writeString(path(), Files.readString(path()) + "\n  # of the build farm\n");
        file().add(new ApiKey("bob", KeyHash.of("b"), new KeyLimits(60, 100_000, 4)));
        file().add(key("alice2", "c"));
        assertEquals(List.of("alice", "bob", "alice2"), file().read().keys().stream().map(ApiKey::name).toList());
        assertEquals(new KeyLimits(60, 100_000, 4), file().read().find("b").orElseThrow().limits());
        String before = Files.readString(path());
        assertEquals("%s: there is a key of this name: bob".formatted(path()), refusal(() -> file().add(key("bob", "d"))));
        assertEquals("%s: no key has this name: carol".formatted(path()), refusal(() -> file().remove("carol")));
        assertEquals(before, Files.readString(path()));
        file().remove("alice");
        assertEquals(List.of("bob", "alice2"), file().read().keys().stream().map(ApiKey::name).toList());
        assertTrue(Files.readString(path()).contains("  # of the build farm\n"));
    }

    @Test
    void shouldHaveNoKeyInTheFileAndBeItsOwnersAlone() throws Exception {
        String text = KeyText.generate();
        file().add(key("alice", text));
        assertFalse(Files.readString(path()).contains(text.substring(3)));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path())));
        try (Stream<Path> all = Files.list(temp)) {
            assertEquals(List.of(path()), all.toList());
        }
    }

    /** A server that runs as somebody else can read it afterwards, too. */
    @Test
    void shouldKeepWhoMayReadAndWriteAFile() throws Exception {
        file().add(key("alice", "a"));
        Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rw-r-----"));
        boolean root = Files.getAttribute(path(), "unix:uid").equals(0);
        if (root) { // who may give files away
            Files.setAttribute(path(), "unix:uid", 12_345);
            Files.setAttribute(path(), "unix:gid", 23_456);
        }
        String before = Files.readAttributes(path(), "unix:mode,uid,gid").toString();
        file().add(key("bob", "b"));
        assertEquals(before, Files.readAttributes(path(), "unix:mode,uid,gid").toString());
        file().remove("alice");
        assertEquals(before, Files.readAttributes(path(), "unix:mode,uid,gid").toString());
    }

    @Test
    void shouldReplaceWhatALinkLeadsTo() throws Exception {
        file().add(key("alice", "a"));
        Path link = Files.createSymbolicLink(temp.resolve("link"), path());
        new KeyFile(link).add(key("bob", "b"));
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(2, file().read().keys().size());
    }

    private interface Attempt {
        void run() throws IOException, KeyFileException;
    }

    private static String refusal(Attempt attempt) {
        return String.valueOf(assertThrows(KeyFileException.class, attempt::run).getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            al/ice sha256:HASH | a name must have 1 to 64 characters: letters, digits and . _ -, the first a letter or a digit: characters=6
            -alice sha256:HASH | a name must have 1 to 64 characters: letters, digits and . _ -, the first a letter or a digit: characters=6
            alice | after the name comes sha256: and the hash of the key
            alice ts-SECRET | after the name comes sha256: and the hash of the key
            alice HASH | after the name comes sha256: and the hash of the key
            alice sha256:SECRET | a hash must be 64 hexadecimal digits: characters=6
            alice sha256:HASH00 | a hash must be 64 hexadecimal digits: characters=66
            alice sha256:HASH SECRET | word 3 is no limit: requests-per-minute=N, tokens-per-minute=N and streams=N are
            alice sha256:HASH stream=1 | word 3 is no limit: requests-per-minute=N, tokens-per-minute=N and streams=N are
            alice sha256:HASH streams=1 streams=1 | streams is there twice
            alice sha256:HASH streams=0 | streams must be in 1..2147483647
            alice sha256:HASH tokens-per-minute=SECRET | tokens-per-minute must be in 1..2147483647
            alice sha256:HASH requests-per-minute=2147483648 | requests-per-minute must be in 1..2147483647
            first sha256:HASH | the same name as in line 2
            other sha256:aaHASH2 | the same key as in line 2
            """)
    void shouldNameTheLineThatIsWrongAndNothingOfIt(String line, String why) throws Exception {
        String first = "aa" + HASH.substring(2);
        Files.writeString(path(), "# a comment\nfirst sha256:%s streams=2\n\n%s\nlast sha256:%s\n".formatted(
                first, line.replace("aaHASH2", first).replace("HASH", HASH), "bb" + HASH.substring(2)));
        String before = Files.readString(path());
        String message = refusal(() -> file().read());
        assertEquals("%s: line 4: %s".formatted(path(), why), message);
        assertFalse(message.contains("SECRET") || message.contains(HASH.substring(2)), message);
        assertEquals(message, refusal(() -> file().add(key("new", "n"))));
        assertEquals(message, refusal(() -> file().remove("last")));
        assertEquals(before, Files.readString(path()));
    }

    @Test
    void shouldRefuseWhatCannotBeAFileOfKeys() throws Exception {
        assertThrows(NoSuchFileException.class, () -> file().read());
        assertThrows(NoSuchFileException.class, () -> file().remove("alice"));
        Files.write(path(), new byte[] {'a', (byte) 0xFF});
        assertEquals("%s: not a text in UTF-8".formatted(path()), refusal(() -> file().read()));
        Files.write(path(), new byte[(1 << 20) + 1]);
        assertEquals("%s: too long for a file of keys: limit=1048576 bytes".formatted(path()), refusal(() -> file().read()));
        StringBuilder many = new StringBuilder();
        for (int i = 0; i <= KeyFile.MAX_KEYS; i++) {
            many.append("k%d sha256:%064x%n".formatted(i, i));
        }
        Files.write(path(), many.toString().getBytes(StandardCharsets.UTF_8));
        assertEquals("%s: too many keys: keys=1001, limit=1000".formatted(path()), refusal(() -> file().read()));
        Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rw-rw-rw-"));
        assertEquals("%s: anybody may write it, and so make keys; run chmod 600 on it".formatted(path()), refusal(() -> file().read()));
    }

    @Test
    void shouldShowNoHashInText() {
        ApiKey key = key("alice", "password");
        assertEquals("ApiKey[name=alice, hash=KeyHash, limits=%s]".formatted(KeyLimits.NONE), key.toString());
        assertNotEquals(key, key("alice", "other"));
        assertFalse(ApiKeys.of(new KeyRing(List.of(key))).toString().contains("alice"));
    }
}
