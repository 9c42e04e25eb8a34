package dev.tidestream.server.admin;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.protocol.admin.UpdateResult;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;

/**
 * Writes down how requests of administrators have ended: who has asked, for what, and what has become of it. A change is written down
 * before it is acknowledged, and always; a refusal at the limited rate of {@link EventLog}. Reads that were answered change
 * nothing and are counted by their connection.
 *
 * <pre>{@code
 * update outcome=committed connection=a3 remote=127.0.0.1:50312 token=0f1e2d3c ref="7" update_id="tune-7" tensor="token_embd.weight"
 *     kind=rows base_version=3 bytes=2312 sha256=… version=4
 * }</pre>
 */
public final class AdminAudit {
    private final EventLog log;

    /** @param log where the lines go */
    public AdminAudit(EventLog log) {
        this.log = log;
    }

    /** A request has been answered; any thread. */
    public void answered(Caller caller, AdminRequest request, AdminReply reply) {
        switch (reply) {
            case AdminReply.Ack ack -> {
                if (isChange(request)) {
                    log.done(done(caller, request, ack));
                }
            }
            case AdminReply.Failed failed -> log.refused(
                    event(request) + "_" + failed.code().wireName(),
                    () -> what(event(request), "refused", caller, request)
                            .with("code", failed.code().wireName()).withText("message", failed.message()));
            case AdminReply.Progress p -> throw new IllegalArgumentException("progress ends nothing: " + p);
        }
    }

    private static EventLine done(Caller caller, AdminRequest request, AdminReply.Ack ack) {
        return switch (request) {
            case AdminRequest.WeightsUpdate u -> ack.result() instanceof AdminResult.UpdateRepeated(long version)
                    ? what("update", "repeated", caller, u).with("version", version)
                    : what("update", "committed", caller, u).with("version", ack.weightsVersion());
            case AdminRequest.OfUpdates u -> ack.result() instanceof UpdateResult.Committed committed
                    ? what("update", committed.repeated() ? "repeated" : "committed", caller, u)
                            .with("tensors", committed.changed().size()).with("bytes", committed.bytes())
                            .with("version", committed.version()).with("held", committed.held())
                    : what(event(u), u instanceof AdminRequest.AbortUpdate ? "aborted" : "done", caller, u);
            case AdminRequest.WeightsRollback r -> what("rollback", "committed", caller, r).with("version", ack.weightsVersion());
            case AdminRequest.OptimizationSet s -> ack.result() instanceof AdminResult.ModeChanged changed
                    ? what("set_mode", "changed", caller, s)
                            .with("previous_mode", changed.previous().wireName()).with("version", ack.weightsVersion())
                    : what("set_mode", "unchanged", caller, s)
                            .with("previous_mode", s.mode().wireName()).with("version", ack.weightsVersion());
            case AdminRequest.OptimizationStatus s -> what(event(s), "answered", caller, s);
            case AdminRequest.WeightsStatus s -> what(event(s), "answered", caller, s);
            case AdminRequest.WeightsHistory h -> what(event(h), "answered", caller, h);
            case AdminRequest.Stats s -> what(event(s), "answered", caller, s);
            case AdminRequest.Streams s -> what(event(s), "answered", caller, s);
            case AdminRequest.OfAdapters a -> what(event(a), "done", caller, a);
        };
    }

    private static EventLine what(String event, String outcome, Caller caller, AdminRequest request) {
        EventLine line = EventLine.of(event).with("outcome", outcome).with(caller).withText("ref", request.ref());
        return switch (request) {
            case AdminRequest.WeightsUpdate u -> line.withText("update_id", u.updateId()).withText("tensor", u.tensor())
                    .with("kind", u.kind().wireName()).with("base_version", u.baseVersion()).with("bytes", u.byteLength())
                    .with("sha256", u.sha256()).withText("path", u.path());
            case AdminRequest.OpenUpdate o -> line.withText("update_id", o.updateId()).with("base_version", o.baseVersion())
                    .withText("label", o.label());
            case AdminRequest.UpdatePart p -> line.withText("update_id", p.updateId()).with("part", p.part())
                    .with("bytes", p.byteLength()).with("offset", p.offset()).with("sha256", p.sha256());
            case AdminRequest.OfUpdates u -> line.withText("update_id", u.updateId());
            case AdminRequest.WeightsRollback r -> line.with("to_version", r.toVersion());
            case AdminRequest.OptimizationSet s -> line.with("mode", s.mode().wireName()).with("verify", s.verify());
            case AdminRequest.OptimizationStatus s -> line;
            case AdminRequest.WeightsStatus s -> line;
            case AdminRequest.WeightsHistory h -> line;
            case AdminRequest.Stats s -> line;
            case AdminRequest.Streams s -> line;
            case AdminRequest.AdapterLoad a -> line.withText("name", a.name()).withText("path", a.path());
            case AdminRequest.AdapterUnload a -> line.withText("name", a.name());
            case AdminRequest.AdapterStatus a -> line;
        };
    }

    private static boolean isChange(AdminRequest request) {
        return switch (request) {
            case AdminRequest.WeightsUpdate u -> true;
            case AdminRequest.OpenUpdate o -> true;
            case AdminRequest.CommitUpdate c -> true;
            case AdminRequest.AbortUpdate a -> true;
            case AdminRequest.UpdatePart p -> false; // as over HTTP: what is committed is written down
            case AdminRequest.UpdateState u -> false;
            case AdminRequest.WeightsRollback r -> true;
            case AdminRequest.OptimizationSet s -> true;
            case AdminRequest.OptimizationStatus s -> false;
            case AdminRequest.WeightsStatus s -> false;
            case AdminRequest.WeightsHistory h -> false;
            case AdminRequest.Stats s -> false;
            case AdminRequest.Streams s -> false;
            case AdminRequest.AdapterLoad a -> true;
            case AdminRequest.AdapterUnload a -> true;
            case AdminRequest.AdapterStatus a -> false;
        };
    }

    private static String event(AdminRequest request) {
        return switch (request) {
            case AdminRequest.WeightsUpdate u -> "update";
            case AdminRequest.OpenUpdate o -> "update_open";
            case AdminRequest.UpdatePart p -> "update_part";
            case AdminRequest.CommitUpdate c -> "update";
            case AdminRequest.AbortUpdate a -> "update";
            case AdminRequest.UpdateState u -> "read_update";
            case AdminRequest.WeightsRollback r -> "rollback";
            case AdminRequest.OptimizationSet s -> "set_mode";
            case AdminRequest.OptimizationStatus s -> "read_optimization_status";
            case AdminRequest.WeightsStatus s -> "read_weights_status";
            case AdminRequest.WeightsHistory h -> "read_weights_history";
            case AdminRequest.Stats s -> "read_stats";
            case AdminRequest.Streams s -> "read_streams";
            case AdminRequest.AdapterLoad a -> "load_adapter";
            case AdminRequest.AdapterUnload a -> "unload_adapter";
            case AdminRequest.AdapterStatus a -> "read_adapters";
        };
    }
}
