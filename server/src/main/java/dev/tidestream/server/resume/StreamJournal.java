package dev.tidestream.server.resume;

import java.util.List;

/**
 * Where streams are written down, so that a process can go on with those of the one before it. Any thread; no method but {@link #read}
 * waits for a disk.
 */
public sealed interface StreamJournal permits NoJournal, JournalDirectory {

    /** Writes nothing. */
    StreamJournal NONE = new NoJournal();

    /**
     * The streams that were written down, the newest.
     *
     * @param most so many
     */
    List<StreamRecord> read(int most);

    /** A stream has something new. */
    void changed(ResumableStream stream);

    /** A stream is over, and can be forgotten. */
    void ended(ResumableStream stream);
}
