package dev.tidestream.server.admin.channel;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.logging.Caller;

/**
 * An update, or a part of one, from its announcement to its answer; {@link #state} says where it stands. Event loop of
 * {@link AdminVerticle}.
 */
final class ReceivingUpdate {

    /** What a call to the desk has led to. */
    sealed interface Step {
        record Opened(AdminDesk.Upload upload) implements Step {}

        record Written() implements Step {}

        record Answered(AdminReply reply) implements Step {}
    }

    final String session;
    final Caller caller;
    final AdminRequest.WithFrames request;
    final ThrottledProgress progress;
    private UploadState state = new UploadState.Announced();

    ReceivingUpdate(String session, Caller caller, AdminRequest.WithFrames request, ThrottledProgress progress) {
        this.session = session;
        this.caller = caller;
        this.request = request;
        this.progress = progress;
    }

    UploadState state() {
        return state;
    }

    void state(UploadState next) {
        state = next;
    }

    AdminReply.Failed refusal(AdminErrorCode code, String why) {
        return new AdminReply.Failed(request.ref(), code, state.withNumbers(why, request.frameBytes()));
    }
}
