package dev.tidestream.server.resume;

import java.util.List;

/** The journal of a server without a place for one. */
final class NoJournal implements StreamJournal {
    @Override
    public List<StreamRecord> read(int most) {
        return List.of();
    }

    @Override
    public void changed(ResumableStream stream) {
        // the stream keeps what it has
    }

    @Override
    public void ended(ResumableStream stream) {
        // nothing was written
    }
}
