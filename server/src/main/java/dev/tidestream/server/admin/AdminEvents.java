package dev.tidestream.server.admin;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.admin.AdminErrorCode;

/** Told what administrators have done; by worker threads, several at once. */
public interface AdminEvents {

    /** An update was committed and published. */
    void updateCommitted();

    /** A rollback was committed and published. */
    void rolledBack();

    /** An update or a rollback was refused. */
    void updateRefused(AdminErrorCode code);

    /** The head computes in this mode from now on. */
    void modeChanged(HeadMode mode);

    /** A change of the mode was refused. */
    void modeChangeRefused(AdminErrorCode code);

    /** A checkpoint was written. */
    void checkpointWritten();

    /** A checkpoint could not be written. */
    void checkpointFailed();
}
