package dev.tidestream.server.canary;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.LentCache;
import dev.tidestream.server.scheduler.probe.SampledRow;

/**
 * A shadow: sequences of another version that have the tokens of live streams, and keys and values of their own. It first computes what
 * came before a stream was chosen, some rows in each step, and then, whenever the stream gets a token, the row that this token was
 * sampled from, and compares the two. So what is compared is what the version would have computed if all of the stream were its own. Live
 * streams neither wait for memory of it nor see anything of it: their tokens have the same bits.
 *
 * <p>The decode thread computes; whoever ends it waits for the end of that and gives the memory back. The lock is held for that alone: a
 * step that finds it taken does without the shadow.
 */
final class RunningShadow {
    private final ShadowSpec spec;
    private final ShadowLimits limits;
    private final Instant started;
    private final Lease lease;
    private final LanguageModel model;
    private final KvCachePool pool;
    private final ReentrantLock computing = new ReentrantLock();
    private final Map<Long, Shadowed> streams = new LinkedHashMap<>();
    private final Set<Long> leftOut = new HashSet<>(); // live streams that had no memory
    private final AtomicReference<@Nullable Instant> end = new AtomicReference<>();
    private float[] logits = {}; // (rows compared, V)
    private boolean closed; // the memory is gone
    private volatile ShadowFigures figures = ShadowFigures.NONE;
    private volatile String fault = "";

    /** A stream that is compared. */
    private static final class Shadowed {
        final LentCache lent;
        boolean differed;

        Shadowed(LentCache lent) {
            this.lent = lent;
        }

        int length() {
            return lent.cache().length();
        }
    }

    /**
     * Rows of a stream in a step.
     *
     * @param rows of the shadow
     * @param complete whether the last of them is that of the live row
     */
    private record Turn(SampledRow live, Shadowed stream, int rows, boolean complete) {
        Slice slice() {
            return new Slice(stream.lent.cache(), live.tokens(), stream.length(), rows, complete ? LogitsRows.LAST : LogitsRows.NONE,
                    live.adapter());
        }
    }

    /**
     * Takes memory when it needs some.
     *
     * @param lease on its version; closed by {@link #close}
     * @param forward a forward pass that nobody is told of, for the decode thread
     */
    RunningShadow(ShadowSpec spec, ShadowLimits limits, Instant started, Lease lease, Function<LoadedModel, LanguageModel> forward) {
        this.spec = spec;
        this.limits = limits;
        this.started = started;
        this.lease = lease;
        this.model = forward.apply(lease.epoch().loaded());
        this.pool = new KvCachePool(model.kvCacheShape(), limits.kvBytes());
    }

    long weightsVersion() {
        return spec.weightsVersion();
    }

    boolean runs() {
        return end.get() == null;
    }

    /** Ends it; false if it had ended. */
    boolean end(String why, Instant at) {
        boolean ends = end.compareAndSet(null, at);
        if (ends) {
            fault = why;
        }
        return ends;
    }

    /** Gives all memory back; after its end. */
    void close() {
        computing.lock();
        try {
            if (!closed) {
                closed = true;
                pool.close();
                lease.close();
            }
        } finally {
            computing.unlock();
        }
    }

    ShadowReport report() {
        return new ShadowReport(spec, started, end.get(), fault, figures);
    }

    ShadowFigures figures() {
        return figures;
    }

    /** A stream has ended; decode thread. */
    void ended(long stream) {
        leftOut.remove(stream);
        if (streams.containsKey(stream) && computing.tryLock()) {
            try {
                letGo(stream);
            } finally {
                computing.unlock();
            }
        }
    }

    private void letGo(long stream) {
        Shadowed gone = streams.remove(stream);
        if (gone != null && !closed) {
            pool.release(gone.lent);
        }
    }

    /** Computes and compares what a step allows; decode thread. */
    void sampled(List<SampledRow> rows) {
        if (!computing.tryLock()) {
            return;
        }
        try {
            List<Turn> turns = closed ? List.of() : turns(rows);
            if (!turns.isEmpty()) {
                compute(turns);
            }
        } finally {
            computing.unlock();
        }
    }

    /** Those that have least left to compute come first. */
    private List<Turn> turns(List<SampledRow> rows) {
        List<Turn> wanted = new ArrayList<>();
        for (SampledRow row : rows) {
            Shadowed stream = shadowed(row);
            if (stream != null && row.count() > stream.length()) {
                wanted.add(new Turn(row, stream, row.count() - stream.length(), true));
            }
        }
        wanted.sort(Comparator.comparingInt(Turn::rows));
        List<Turn> turns = new ArrayList<>();
        int left = Math.min(limits.maxRows(), model.maxRows());
        for (Turn turn : wanted) {
            int now = Math.min(left, turn.rows());
            if (now > 0 && lend(turn, now)) {
                turns.add(new Turn(turn.live(), turn.stream(), now, now == turn.rows()));
                left -= now;
            }
        }
        return turns;
    }

    /** The stream of a row, if it is one that is compared, or is to be from now on. */
    private @Nullable Shadowed shadowed(SampledRow row) {
        if (row.weightsVersion() == spec.weightsVersion()) {
            letGo(row.stream()); // it has moved on to the very version
            return null;
        }
        Shadowed known = streams.get(row.stream());
        if (known != null || streams.size() >= limits.maxStreams() || !spec.takes(row.stream()) || leftOut.contains(row.stream())) {
            return known;
        }
        Shadowed joining = new Shadowed(pool.open(model.contextLength()));
        streams.put(row.stream(), joining);
        figures = figures.withStream();
        return joining;
    }

    private boolean lend(Turn turn, int rows) {
        if (pool.lend(turn.stream().lent, turn.stream().length() + rows)) {
            return true;
        }
        leftOut.add(turn.live().stream());
        letGo(turn.live().stream());
        figures = figures.withoutStream();
        return false;
    }

    private void compute(List<Turn> turns) {
        long startNs = System.nanoTime();
        int vocabulary = model.vocabularySize();
        int compared = (int) turns.stream().filter(Turn::complete).count();
        if (logits.length < compared * vocabulary) {
            logits = new float[compared * vocabulary];
        }
        model.forward(turns.stream().map(Turn::slice).toList(), logits);
        int row = 0;
        for (Turn turn : turns) {
            if (turn.complete()) {
                compare(turn, LogitsDistance.of(
                        model.kernels(), turn.live().logits(), turn.live().offset(), logits, row++ * vocabulary, vocabulary));
            }
        }
        figures = figures.withCost(turns.stream().mapToInt(Turn::rows).sum(), System.nanoTime() - startNs);
    }

    private void compare(Turn turn, LogitsDistance distance) {
        figures = figures.with(distance);
        if (distance.finite() && !distance.sameToken() && !turn.stream().differed) {
            turn.stream().differed = true;
            figures = figures.with(new ShadowFigures.First(
                    turn.live().stream(), turn.live().count(), distance.liveToken(), distance.otherToken()));
        }
    }
}
