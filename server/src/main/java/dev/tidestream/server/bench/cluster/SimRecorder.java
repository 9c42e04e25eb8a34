package dev.tidestream.server.bench.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.cluster.route.PrefixChain;
import dev.tidestream.server.scheduler.Completion;

/** Counts and times of what happens in the measured time, by phases of it. */
final class SimRecorder {
    private static final double US_PER_MS = 1000;
    private static final int DIGITS = 3;

    private final List<Phase> phases = new ArrayList<>();
    private final Map<String, Long> busyNs = new HashMap<>();
    private final Set<Long> everAsked = new HashSet<>(); // hashes of blocks
    private final Histogram pauses = new Histogram(DIGITS); // µs
    private final int workers;

    /** A part of the measured time. */
    private static final class Phase {
        final String name;
        final long fromNs;
        final long toNs;
        final Histogram firstTokens = new Histogram(DIGITS); // µs
        final Histogram gaps = new Histogram(DIGITS); // µs
        long asked;
        long finished;
        long refused;
        long moved;
        long tokens;
        long promptTokens;
        long cachedTokens;
        long askedTokens;
        long askedBefore; // tokens of prompts in blocks that somebody asked for before

        Phase(String name, long fromNs, long toNs) {
            this.name = name;
            this.fromNs = fromNs;
            this.toNs = toNs;
        }
    }

    SimRecorder(SimConfig config) {
        workers = config.workers();
        Fault fault = config.fault();
        if (fault == null) {
            phases.add(new Phase("all", config.warmUpNs(), config.endNs()));
            return;
        }
        long atNs = config.warmUpNs() + SimConfig.ns(fault.atS());
        long backNs = Math.min(config.endNs(), atNs + SimConfig.ns(fault.backS()));
        phases.add(new Phase("before", config.warmUpNs(), atNs));
        phases.add(new Phase("dark", atNs, backNs));
        phases.add(new Phase("after", backNs, config.endNs()));
    }

    private @Nullable Phase at(long ns) {
        for (Phase phase : phases) {
            if (ns >= phase.fromNs && ns < phase.toNs) {
                return phase;
            }
        }
        return null;
    }

    void asked(SimStream stream) {
        long[] blocks = stream.route().blocks();
        int known = 0;
        while (known < blocks.length && everAsked.contains(blocks[known])) {
            known++;
        }
        for (int i = known; i < blocks.length; i++) {
            everAsked.add(blocks[i]);
        }
        Phase phase = at(stream.arrivalNs());
        if (phase != null) {
            phase.asked++;
            phase.askedTokens += stream.prompt().length;
            phase.askedBefore += (long) known * PrefixChain.BLOCK_TOKENS;
        }
    }

    void refused(SimStream stream, long nowNs) {
        Phase phase = at(Math.max(stream.arrivalNs(), nowNs));
        if (phase != null) {
            phase.refused++;
        }
    }

    void moved(SimStream stream, long nowNs) {
        Phase phase = at(Math.max(stream.arrivalNs(), nowNs));
        if (phase != null) {
            phase.moved++;
        }
    }

    /** @param moved whether it comes from another worker than the one before */
    void token(SimStream stream, long gapNs, boolean moved, long nowNs) {
        Phase now = at(nowNs);
        if (now != null) {
            now.tokens++;
        }
        Phase arrival = at(stream.arrivalNs());
        if (stream.tokens() == 1) {
            if (arrival != null) {
                arrival.firstTokens.recordValue(gapNs / 1000);
            }
        } else if (now != null) {
            now.gaps.recordValue(gapNs / 1000);
        }
        if (moved) {
            pauses.recordValue(gapNs / 1000);
        }
    }

    void finished(SimStream stream, Completion completion) {
        Phase phase = at(stream.arrivalNs());
        if (phase != null) {
            phase.finished++;
            phase.promptTokens += completion.usage().promptTokens();
            phase.cachedTokens += completion.usage().cachedTokens();
        }
    }

    void computes(String worker, long fromNs, long toNs) {
        long begin = Math.max(fromNs, phases.getFirst().fromNs);
        long end = Math.min(toNs, phases.getLast().toNs);
        if (end > begin) {
            busyNs.merge(worker, end - begin, Long::sum);
        }
    }

    SimResult result() {
        double measuredNs = phases.getLast().toNs - phases.getFirst().fromNs;
        double most = busyNs.values().stream().mapToLong(Long::longValue).max().orElse(0) / measuredNs;
        double all = busyNs.values().stream().mapToLong(Long::longValue).sum() / measuredNs;
        return new SimResult(phases.stream().filter(phase -> phase.toNs > phase.fromNs).map(SimRecorder::figures).toList(),
                all / workers, most, pauses.getTotalCount(), ms(pauses, 50), ms(pauses, 100));
    }

    private static SimResult.Phase figures(Phase of) {
        double seconds = (of.toNs - of.fromNs) / 1e9;
        return new SimResult.Phase(of.name, seconds, of.asked, of.finished, of.refused, of.moved, of.tokens / seconds,
                share(of.cachedTokens, of.promptTokens), share(of.askedBefore, of.askedTokens),
                ms(of.firstTokens, 50), ms(of.firstTokens, 95), ms(of.firstTokens, 99),
                ms(of.gaps, 50), ms(of.gaps, 99), ms(of.gaps, 99.9));
    }

    private static double share(long part, long all) {
        return all == 0 ? 0 : (double) part / all;
    }

    private static double ms(Histogram of, double percentile) {
        return of.getTotalCount() == 0 ? 0 : of.getValueAtPercentile(percentile) / US_PER_MS;
    }
}
