package dev.tidestream.server.receipts;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.Set;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;

/**
 * A signing key in a file: PEM, PKCS #8, Ed25519, as {@code openssl genpkey -algorithm ed25519} writes it. Whoever may write to it chooses
 * what the server vouches for, so a file that anybody may write or read is refused; a group's rights are named in a warning.
 */
public final class ReceiptKeyFile {
    private static final Logger log = LoggerFactory.getLogger(ReceiptKeyFile.class);
    private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
    private static final String END = "-----END PRIVATE KEY-----";
    private static final int MAX_BYTES = 16 << 10;
    private static final int LINE = 64;
    private static final Set<PosixFilePermission> OWNERS_ONLY = PosixFilePermissions.fromString("rwx------");

    private ReceiptKeyFile() {}

    /**
     * Reads a key.
     *
     * @throws ReceiptException if there is none, or others could use it; the message names the file and shows nothing of its content
     */
    public static SigningKey read(Path file) throws ReceiptException {
        try {
            judge(file);
            if (Files.size(file) > MAX_BYTES) {
                throw new ReceiptException("%s: too large for a key: limit_bytes=%d".formatted(file, MAX_BYTES));
            }
            return SigningKey.ofPkcs8(pem(Files.readString(file, StandardCharsets.ISO_8859_1)));
        } catch (NoSuchFileException e) {
            throw new ReceiptException("no such file: " + file, e);
        } catch (AccessDeniedException e) {
            throw new ReceiptException("permission denied: " + file, e);
        } catch (IOException e) {
            throw new ReceiptException("%s: cannot be read: %s".formatted(file, Reasons.of(e)), e);
        } catch (ReceiptException e) {
            String message = String.valueOf(e.getMessage());
            throw message.startsWith(file.toString()) ? e : new ReceiptException("%s: %s".formatted(file, message), e);
        }
    }

    private static void judge(Path file) throws IOException, ReceiptException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        String shown = PosixFilePermissions.toString(permissions);
        if (permissions.contains(PosixFilePermission.OTHERS_READ) || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new ReceiptException("%s: anybody may use the key: permissions=%s; run chmod 600 on it".formatted(file, shown));
        }
        if (!OWNERS_ONLY.containsAll(permissions)) {
            log.warn("others than its owner may use the key of receipts: file={}, permissions={}; run chmod 600 on it",
                    Printable.line(file.toString()), shown);
        }
    }

    private static byte[] pem(String text) throws ReceiptException {
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new ReceiptException("no private key in PEM (PKCS #8): it begins with " + BEGIN);
        }
        try {
            return Base64.getMimeDecoder().decode(text.substring(begin + BEGIN.length(), end));
        } catch (IllegalArgumentException e) {
            throw new ReceiptException("no private key in PEM (PKCS #8): it is not base64", e);
        }
    }

    /**
     * Reads a key, or makes one if there is no file: whole or not at all, for its owner alone, and on the disk when this returns.
     *
     * @throws ReceiptException if it cannot be read or written
     */
    public static SigningKey readOrMake(Path file) throws ReceiptException {
        if (Files.exists(file)) {
            return read(file);
        }
        SigningKey key = SigningKey.generate();
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(unfinished); // of a process that ended while it wrote
            try (FileChannel out = FileChannel.open(
                    unfinished, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly(file))) {
                ByteBuffer bytes = ByteBuffer.wrap(pem(key).getBytes(StandardCharsets.US_ASCII));
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            forceDirectory(file);
            return key;
        } catch (IOException e) {
            throw new ReceiptException("%s: the key of receipts cannot be written: %s".formatted(file, Reasons.of(e)), e);
        }
    }

    private static void forceDirectory(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null && directory.getFileSystem().supportedFileAttributeViews().contains("posix")) { // else not to be opened
            try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
                opened.force(true);
            }
        }
    }

    private static FileAttribute<?>[] ownerOnly(Path where) {
        return where.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))}
                : new FileAttribute<?>[0];
    }

    private static String pem(SigningKey key) {
        return BEGIN + "\n" + Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(key.pkcs8()) + "\n" + END + "\n";
    }
}
