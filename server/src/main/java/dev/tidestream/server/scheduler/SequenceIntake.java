package dev.tidestream.server.scheduler;

import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.adapters.AdapterLease;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.NeverFits;
import dev.tidestream.server.scheduler.weights.SequenceWeights;

/** Makes sequences of requests that can be computed, and refuses the others with the numbers. */
final class SequenceIntake {
    private final CurrentEpoch epochs;
    private final KvCachePool pool;
    private final int contextLength;
    private long arrivals;

    SequenceIntake(CurrentEpoch epochs, KvCachePool pool, int contextLength) {
        this.epochs = epochs;
        this.pool = pool;
        this.contextLength = contextLength;
    }

    /** A sequence with a lease; null for a request that was refused by {@link SequenceClient#failed}. */
    @Nullable Sequence sequence(SequenceRequest request) {
        SequenceClient client = request.client();
        int prompt = request.prompt().length;
        if (prompt == 0 || prompt >= contextLength) {
            client.failed(
                    prompt == 0 ? ErrorCode.INVALID_VALUE : ErrorCode.PROMPT_TOO_LONG,
                    prompt == 0 ? "prompt has no tokens: tokens=0" : "prompt too long: tokens=%d, context=%d, room for at least 1 token is needed"
                            .formatted(prompt, contextLength));
            return null;
        }
        int known = prompt + request.generated().length; // below the sum of two arrays that are in memory
        if (known >= contextLength) {
            client.failed(ErrorCode.PROMPT_TOO_LONG, "prompt and the tokens so far leave no room: tokens=%d, generated=%d, context=%d"
                    .formatted(prompt, request.generated().length, contextLength));
            return null;
        }
        int positions = Math.min(contextLength, (int) Math.min(Integer.MAX_VALUE, (long) prompt + request.maxTokens()));
        Optional<NeverFits> never = pool.neverFits(positions);
        if (never.isPresent()) {
            client.failed(ErrorCode.PROMPT_TOO_LONG, never.get().message(prompt, request.maxTokens()));
            return null;
        }
        SequenceWeights weights = weights(request);
        if (weights == null) {
            return null;
        }
        try {
            return new Sequence(request, ++arrivals, weights, contextLength);
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
    }

    private @Nullable SequenceWeights weights(SequenceRequest request) {
        boolean begins = request.weightsVersion() < 0 && request.generated().length == 0;
        Lease lease = begins ? epochs.lease(request.sampler().seed(), request.party().account())
                : request.weightsVersion() < 0 ? epochs.lease() : epochs.lease(request.weightsVersion()).orElse(null);
        if (lease == null) {
            request.client().failed(ErrorCode.VERSION_GONE, "the weights of the stream are not kept any more: weights_version=%d, newest=%d"
                    .formatted(request.weightsVersion(), epochs.weightsVersion()));
            return null;
        }
        ServedAdapter asked = request.adapter();
        AdapterLease adapter = asked == null ? null : asked.lease().orElse(null);
        if (asked != null && adapter == null) {
            lease.close();
            request.client().failed(ErrorCode.UNKNOWN_ADAPTER, "the adapter was unloaded: adapter=" + asked.name());
            return null;
        }
        return new SequenceWeights(lease, adapter, begins && !epochs.isCurrent(lease));
    }
}
