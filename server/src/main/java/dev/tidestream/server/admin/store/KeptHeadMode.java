package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.admin.AdminEvents;

/**
 * The head mode that an administrator has chosen, in a file of the data directory: a restart goes on with it. A file that
 * cannot be written or read changes nothing but that, and is a warning: the mode decides how fast logits are, and is no part
 * of a version. One thread at a time.
 */
public final class KeptHeadMode {
    private static final Logger log = LoggerFactory.getLogger(KeptHeadMode.class);
    private static final String FILE = "head-mode";
    private static final String TEMP = "head-mode.tmp";
    private static final int MAX_BYTES = 64;

    private final Path directory;

    /** @param directory that this process has locked */
    public KeptHeadMode(Path directory) {
        this.directory = directory;
    }

    /** The mode of before; nothing if nobody has chosen one. */
    public Optional<HeadMode> read() {
        Path file = directory.resolve(FILE);
        try (var in = Files.newInputStream(file)) {
            String word = new String(in.readNBytes(MAX_BYTES), StandardCharsets.ISO_8859_1).strip();
            Optional<HeadMode> mode = Arrays.stream(HeadMode.values()).filter(known -> known.wireName().equals(word)).findFirst();
            if (mode.isEmpty()) {
                log.warn("no head mode, so the model begins with packed: file={}, content={}", file,
                        Printable.quoted(word, MAX_BYTES));
            }
            return mode;
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            log.warn("the head mode of before cannot be read: file={}", file, e);
            return Optional.empty();
        }
    }

    /** The same events, with the mode kept when it has changed. */
    public AdminEvents keeping(AdminEvents next) {
        return new KeepingEvents(next, this);
    }

    /** Keeps a mode. */
    void write(HeadMode mode) {
        Path temp = directory.resolve(TEMP);
        try {
            Files.writeString(temp, mode.wireName() + "\n");
            Files.move(temp, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            log.warn("the head mode cannot be kept, a restart will not have it: file={}, mode={}", temp, mode.wireName(), e);
        }
    }
}
