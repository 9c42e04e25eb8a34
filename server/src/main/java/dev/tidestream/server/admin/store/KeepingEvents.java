package dev.tidestream.server.admin.store;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminEvents;

/**
 * Keeps the mode of the head when it has changed, and tells everything on.
 *
 * @param next told everything
 */
record KeepingEvents(AdminEvents next, KeptHeadMode kept) implements AdminEvents {
    @Override
    public void updateCommitted() {
        next.updateCommitted();
    }

    @Override
    public void rolledBack() {
        next.rolledBack();
    }

    @Override
    public void updateRefused(AdminErrorCode code) {
        next.updateRefused(code);
    }

    @Override
    public void modeChanged(HeadMode mode) {
        kept.write(mode);
        next.modeChanged(mode);
    }

    @Override
    public void modeChangeRefused(AdminErrorCode code) {
        next.modeChangeRefused(code);
    }

    @Override
    public void checkpointWritten() {
        next.checkpointWritten();
    }

    @Override
    public void checkpointFailed() {
        next.checkpointFailed();
    }
}
