package dev.tidestream.server.admin.channel;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.logging.Caller;

/** An update from its announcement to its answer: where it stands. Event loop of {@link AdminVerticle}. */
final class ReceivingUpdate {

    /** What a call to the desk has led to. */
    sealed interface Step {
        record Opened(AdminDesk.Upload upload) implements Step {}

        record Taken() implements Step {}

        record Answered(AdminReply reply) implements Step {}
    }

    final String session;
    final Caller caller;
    final AdminRequest.WeightsUpdate request;
    final ThrottledProgress progress;

    AdminDesk.@Nullable Upload upload;
    long receivedBytes;
    /** A call to the desk is under way for it. */
    boolean working;
    /** Its payload is complete and being applied: too late to give it up. */
    boolean finishing;
    /** Its connection is: nobody waits for the answer. */
    boolean gone;
    /** Why it is given up, as soon as no call is under way. */
    AdminReply.@Nullable Failed givenUp;

    ReceivingUpdate(String session, Caller caller, AdminRequest.WeightsUpdate request, ThrottledProgress progress) {
        this.session = session;
        this.caller = caller;
        this.request = request;
        this.progress = progress;
    }

    boolean complete() {
        return receivedBytes == request.byteLength();
    }

    void reportReceiving() {
        progress.report("receiving", receivedBytes, request.byteLength());
    }
}
