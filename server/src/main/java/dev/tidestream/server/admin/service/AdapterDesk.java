package dev.tidestream.server.admin.service;

import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.adapters.AdapterRefusedException;
import dev.tidestream.server.adapters.AdapterRegistry;
import dev.tidestream.server.adapters.AdapterStatus;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;

/** Does what is asked about adapters, and has another desk do the rest. */
public final class AdapterDesk implements AdminDesk {
    private final AdminDesk rest;
    private final AdapterRegistry adapters;
    private final LongSupplier weightsVersion;

    /** @param weightsVersion the current one */
    public AdapterDesk(AdminDesk rest, AdapterRegistry adapters, LongSupplier weightsVersion) {
        this.rest = rest;
        this.adapters = adapters;
        this.weightsVersion = weightsVersion;
    }

    @Override
    public AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException {
        return request instanceof AdminRequest.OfAdapters ours
                ? new AdminReply.Ack(request.ref(), weightsVersion.getAsLong(), result(ours))
                : rest.handle(request, progress);
    }

    private AdminResult result(AdminRequest.OfAdapters request) throws AdminException {
        try {
            return switch (request) {
                case AdminRequest.AdapterLoad load ->
                    new AdminResult.OneAdapter(told(adapters.loadWithin(load.name(), load.path()).status()));
                case AdminRequest.AdapterUnload unload -> new AdminResult.OneAdapter(told(adapters.unload(unload.name()).status()));
                case AdminRequest.AdapterStatus _ -> new AdminResult.Adapters(
                        adapters.all().stream().map(ServedAdapter::status).map(AdapterDesk::told).toList(),
                        adapters.bytes(), adapters.limits().maxAdapters(), adapters.limits().maxBytes());
            };
        } catch (AdapterRefusedException e) {
            throw new AdminException(code(e.reason()), String.valueOf(e.getMessage()), e);
        }
    }

    private static AdminResult.Adapter told(AdapterStatus a) {
        return new AdminResult.Adapter(
                a.name(), a.path(), a.format(), a.sha256(), a.bytes(), a.highestRank(), a.tied(), a.streams(), a.warnings());
    }

    private static AdminErrorCode code(AdapterRefusedException.Reason reason) {
        return switch (reason) {
            case INVALID_NAME -> AdminErrorCode.INVALID_VALUE;
            case ALREADY_LOADED -> AdminErrorCode.ADAPTER_EXISTS;
            case NOT_LOADED -> AdminErrorCode.UNKNOWN_ADAPTER;
            case LIMIT -> AdminErrorCode.TOO_MANY_ADAPTERS;
            case BUDGET -> AdminErrorCode.BUDGET_EXCEEDED;
            case INVALID_PATH -> AdminErrorCode.INVALID_PATH;
            case INVALID_ADAPTER -> AdminErrorCode.INVALID_ADAPTER;
            case UNREADABLE -> AdminErrorCode.INVALID_FILE;
        };
    }

    @Override
    public UpdateStart begin(AdminRequest.WithFrames update, ProgressSink progress) throws AdminException {
        return rest.begin(update, progress);
    }

    @Override
    public void maintain(BooleanSupplier givenUp) {
        rest.maintain(givenUp);
    }
}
