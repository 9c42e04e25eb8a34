package dev.tidestream.server.admin.service;

import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminEvents;

/** What was told, in order, as words. */
final class CountedEvents implements AdminEvents {
    final List<String> told = new ArrayList<>();

    @Override
    public void updateCommitted() {
        told.add("updated");
    }

    @Override
    public void rolledBack() {
        told.add("rolled back");
    }

    @Override
    public void updateRefused(AdminErrorCode code) {
        told.add("refused " + code.wireName());
    }

    @Override
    public void modeChanged(HeadMode mode) {
        told.add(mode.wireName());
    }

    @Override
    public void modeChangeRefused(AdminErrorCode code) {
        told.add("mode refused " + code.wireName());
    }

    @Override
    public void checkpointWritten() {
        told.add("checkpoint");
    }

    @Override
    public void checkpointFailed() {
        told.add("no checkpoint");
    }
}
