package dev.tidestream.loadtest.figures;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.plan.Slo;
import dev.tidestream.protocol.Usage;

/**
 * Gathers times; for one thread. All times are nanoseconds of one clock. What happens before {@link #openWindow} is warm-up:
 * it shows in the samples and nowhere else.
 */
public final class Recorder {
    /** A client this busy, or this late, measures itself. */
    private static final double BUSY_SHARE = 0.75;
    private static final double LATE_MS = 20;
    private static final double NS_PER_S = 1e9;
    private static final int DIGITS = 3;
    private static final int MAX_CODES = 100;
    private static final String OTHER_CODES = "others";
    private static final int MAX_EXAMPLE_CHARS = 300;

    private final Slo slo;
    private final long startNs;
    private final Histogram ttft = new Histogram(DIGITS);
    private final Histogram laterTtft = new Histogram(DIGITS);
    private final Histogram itl = new Histogram(DIGITS);
    private final Histogram tpot = new Histogram(DIGITS);
    private final Histogram e2e = new Histogram(DIGITS);
    private final Histogram lateness = new Histogram(DIGITS);
    private final Histogram streamRates = new Histogram(DIGITS); // thousandths of a token per second
    private final Map<String, Long> errors = new TreeMap<>();
    private final Map<String, String> errorExamples = new TreeMap<>();
    private final Map<String, Histogram> admin = new TreeMap<>();
    private final List<Sample> samples = new ArrayList<>();
    private final List<Mark> marks = new ArrayList<>();

    private long openNs = Long.MAX_VALUE;
    private long closeNs = Long.MAX_VALUE;
    private long requests;
    private long finished;
    private long cancelled;
    private long vanished;
    private long failed;
    private long good;
    private long slowed;
    private long tokens;
    private long allTokens;
    private long promptTokens;
    private long cachedTokens;
    private long lowestVersion = Long.MAX_VALUE;
    private long highestVersion = -1;

    private long sampleNs;
    private long sampleTokens;
    private long sampleTtftNs;
    private long sampleItlNs;
    private long sampleSlowItlNs;

    public Recorder(Slo slo, long startNs) {
        this.slo = slo;
        this.startNs = startNs;
        this.sampleNs = startNs;
    }

    /** The measured window begins. */
    public void openWindow(long nowNs) {
        openNs = nowNs;
    }

    /** It ends: what starts from now on is not measured; what runs is. */
    public void closeWindow(long nowNs) {
        closeNs = Math.min(closeNs, nowNs);
    }

    /** Whether a request with this intended start is measured. */
    public boolean measures(long intendedNs) {
        return intendedNs >= openNs && intendedNs < closeNs;
    }

    /** A measured request went out. */
    public void sent(long intendedNs, long nowNs) {
        requests++;
        lateness.recordValue(Math.max(0, nowNs - intendedNs));
    }

    /**
     * @param startedNs the intended start
     * @param later whether it is a later turn of a conversation
     */
    public void firstToken(long startedNs, long nowNs, long version, boolean measured, boolean later) {
        token(nowNs, version);
        long tookNs = Math.max(0, nowNs - startedNs);
        sampleTtftNs = Math.max(sampleTtftNs, tookNs);
        if (measured) {
            ttft.recordValue(tookNs);
            if (later) {
                laterTtft.recordValue(tookNs);
            }
        }
    }

    /**
     * @param previousNs of the token before, of the same stream
     * @param slowed whether the client has read slowly on purpose: then the gap is not the server's
     */
    public void nextToken(long previousNs, long nowNs, long version, boolean measured, boolean slowed) {
        token(nowNs, version);
        if (slowed) {
            sampleSlowItlNs = Math.max(sampleSlowItlNs, nowNs - previousNs);
            return;
        }
        sampleItlNs = Math.max(sampleItlNs, nowNs - previousNs);
        if (measured) {
            itl.recordValue(Math.max(0, nowNs - previousNs));
        }
    }

    private void token(long nowNs, long version) {
        allTokens++;
        sampleTokens++;
        if (nowNs >= openNs && nowNs < closeNs) {
            tokens++;
        }
        if (version >= 0) {
            lowestVersion = Math.min(lowestVersion, version);
            highestVersion = Math.max(highestVersion, version);
        }
    }

    /** Tokens that came without a frame of their own, by the server's account at the end. */
    public void unseen(int count, long nowNs) {
        allTokens += count;
        sampleTokens += count;
        if (nowNs >= openNs && nowNs < closeNs) {
            tokens += count;
        }
    }

    /** A measured request came to its own end. */
    public void finished(StreamTimes times) {
        finished++;
        e2e.recordValue(Math.max(0, times.endNs() - times.intendedNs()));
        if (times.tokens() > 1) {
            tpot.recordValue(Math.max(0, (times.lastNs() - times.firstNs()) / (times.tokens() - 1)));
            if (times.tpotMs() > 0) {
                streamRates.recordValue(Math.round(1e6 / times.tpotMs()));
            }
        }
        if (slo.met(times.ttftMs(), times.tpotMs(), times.e2eMs())) {
            good++;
        }
    }

    /** A measured request came to its own end, but the client read slowly meanwhile: it is counted, not timed. */
    public void finishedSlowly() {
        finished++;
        slowed++;
    }

    public void cancelled() {
        cancelled++;
    }

    public void vanished() {
        vanished++;
    }

    /** What the server says that a measured request has used. */
    public void usage(Usage usage) {
        promptTokens += usage.promptTokens();
        cachedTokens += usage.cachedTokens();
    }

    /** A measured request failed. */
    public void failed() {
        failed++;
    }

    /** An error, of a measured request or not. Codes may be a server's: of very many, the last ones are counted together. */
    public void error(String code) {
        errors.merge(errors.containsKey(code) || errors.size() < MAX_CODES ? code : OTHER_CODES, 1L, Long::sum);
    }

    /** @param why in the server's words, or ours; the first of each code is kept */
    public void error(String code, String why) {
        error(code);
        if (errors.containsKey(code)) {
            errorExamples.putIfAbsent(code,
                    why.length() <= MAX_EXAMPLE_CHARS ? why : why.substring(0, MAX_EXAMPLE_CHARS) + "…");
        }
    }

    public void admin(String kind, long beganNs, long nowNs) {
        admin.computeIfAbsent(kind, _ -> new Histogram(DIGITS)).recordValue(Math.max(0, nowNs - beganNs));
    }

    public void mark(long atNs, long forNs, String kind, String what) {
        marks.add(new Mark((atNs - startNs) / NS_PER_S, forNs / NS_PER_S, kind, what));
    }

    /**
     * The end of an interval.
     *
     * @param level of load that is wanted now
     */
    public Sample sample(long nowNs, int running, double level) {
        double seconds = Math.max(1, nowNs - sampleNs) / NS_PER_S;
        Sample sample = new Sample((nowNs - startNs) / NS_PER_S, sampleTokens / seconds, running, level, sampleTtftNs / 1e6,
                sampleItlNs / 1e6, sampleSlowItlNs / 1e6);
        samples.add(sample);
        sampleNs = nowNs;
        sampleTokens = 0;
        sampleTtftNs = 0;
        sampleItlNs = 0;
        sampleSlowItlNs = 0;
        return sample;
    }

    public List<Sample> samples() {
        return List.copyOf(samples);
    }

    public List<Mark> marks() {
        return List.copyOf(marks);
    }

    public long tokensSoFar() {
        return allTokens;
    }

    public long finishedSoFar() {
        return finished;
    }

    /** Milliseconds. */
    public double ttftSoFar(double percentile) {
        return ttft.getTotalCount() == 0 ? 0 : ttft.getValueAtPercentile(percentile) / 1e6;
    }

    /**
     * After the window has been closed and the last stream has ended.
     *
     * @param machineCores busy on this machine, with whatever; 0 if unknown
     */
    public Figures figures(double clientCores, double ioShare, double machineCores, Figures.@Nullable ServerUse server) {
        return figures(clientCores, ioShare, machineCores, server, null);
    }

    /** @param resumes null if no stream was to go on on another connection */
    public Figures figures(double clientCores, double ioShare, double machineCores, Figures.@Nullable ServerUse server,
            Figures.@Nullable Resumes resumes) {
        double seconds = Math.max(1, closeNs - openNs) / NS_PER_S;
        Map<String, Latency> adminLatencies = new TreeMap<>();
        admin.forEach((kind, histogram) -> adminLatencies.put(kind, Latency.of(histogram)));
        Latency late = Latency.of(lateness);
        double others = server == null ? 0 : Math.max(0, machineCores - clientCores - server.cores());
        long judged = requests - cancelled - vanished - slowed;
        return new Figures(seconds, requests, finished, cancelled, vanished, failed, finished / seconds, tokens, tokens / seconds,
                streamRates.getTotalCount() == 0 ? 0 : streamRates.getValueAtPercentile(50) / 1e3, Latency.of(ttft),
                Latency.of(laterTtft), Latency.of(itl), Latency.of(tpot), Latency.of(e2e), late, good,
                judged <= 0 ? 0 : (double) good / judged, good / seconds, errors, errorExamples, adminLatencies,
                highestVersion < 0 ? List.of() : List.of(lowestVersion, highestVersion),
                new Figures.ClientCpu(clientCores, ioShare, others,
                        ioShare > BUSY_SHARE || late.p99() > LATE_MS), server, promptTokens, cachedTokens, resumes);
    }
}
