package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.CpuMeter;
import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Recorder;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.figures.ServerFigures;
import dev.tidestream.loadtest.figures.Stage;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Profile;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;

/** What happens to streams, as figures: of the whole window, and of its stages if the load changes. On the I/O thread. */
final class Ledger {
    private static final double NS_PER_S = 1e9;
    private static final int PARTS = 8; // of a window whose load does not change, to see how much its figures vary

    private final LoadPlan plan;
    private final Profile profile;
    private final CpuMeter cpu;
    private final Supplier<Figures.@Nullable ServerUse> serverUse;
    // the stages of a load that changes, or as many parts of one that does not
    private final List<Recorder> parts = new ArrayList<>();
    private final Resumptions resumptions = new Resumptions();
    private final List<String> serverNames;
    private final List<Recorder> servers = new ArrayList<>(); // one for each of several
    private Recorder whole;
    private long startNs;
    private long windowNs;
    private long endNs;
    private double clientCores;
    private double ioShare;
    private double machineCores;
    private Figures.@Nullable ServerUse serverUsed;

    /**
     * @param serverNames of all servers
     * @param serverUse asked at the beginning and at the end of the window; gives null if the server is not ours
     */
    Ledger(LoadPlan plan, List<String> serverNames, CpuMeter cpu, Supplier<Figures.@Nullable ServerUse> serverUse, long nowNs) {
        this.serverNames = serverNames;
        this.plan = plan;
        this.profile = plan.arrivals().profile();
        this.cpu = cpu;
        this.serverUse = serverUse;
        this.startNs = nowNs;
        this.whole = new Recorder(plan.slo(), nowNs);
    }

    /** The load begins. */
    void begin(long nowNs) {
        startNs = nowNs;
        whole = new Recorder(plan.slo(), nowNs);
    }

    void openWindow(long nowNs) {
        windowNs = nowNs;
        whole.openWindow(nowNs);
        cpu.start();
        serverUsed = serverUse.get(); // what it used counts from here
        int count = profile.isConstant() ? PARTS : profile.stages();
        long partNs = plan.duration().toNanos() / count;
        for (int i = 0; plan.requests().isEmpty() && i < count; i++) { // nobody knows how long a number of requests takes
            Recorder part = new Recorder(plan.slo(), startNs);
            part.openWindow(nowNs + i * partNs);
            part.closeWindow(nowNs + (i + 1) * partNs);
            parts.add(part);
        }
        for (int i = 0; serverNames.size() > 1 && i < serverNames.size(); i++) {
            Recorder server = new Recorder(plan.slo(), startNs);
            server.openWindow(nowNs);
            servers.add(server);
        }
    }

    void closeWindow(long nowNs) {
        endNs = nowNs;
        whole.closeWindow(nowNs);
        servers.forEach(server -> server.closeWindow(nowNs));
        clientCores = cpu.cores();
        ioShare = cpu.ioShare();
        machineCores = cpu.machineCores();
        serverUsed = serverUse.get();
    }

    boolean isWindowClosed() {
        return endNs != 0;
    }

    /** The load that is wanted now. */
    double level(long nowNs) {
        return profile.at(windowNs == 0 ? 0 : (nowNs - windowNs) / (double) plan.duration().toNanos());
    }

    /** For errors, marks, administrators, and what waiting people are told. */
    Recorder whole() {
        return whole;
    }

    /** Streams that go on on another connection, of the whole run. */
    Resumptions resumptions() {
        return resumptions;
    }

    private void each(Stream stream, Consumer<Recorder> what) {
        if (stream.measured) {
            what.accept(whole);
            for (Recorder part : parts) {
                if (part.measures(stream.intendedNs)) {
                    what.accept(part);
                }
            }
            ofServer(stream, what);
        }
    }

    /** Nobody is told before the window opens. */
    private void ofServer(Stream stream, Consumer<Recorder> what) {
        if (!servers.isEmpty()) {
            what.accept(servers.get(stream.server));
        }
    }

    void sent(Stream stream) {
        each(stream, to -> to.sent(stream.intendedNs, stream.sentNs));
    }

    /** A token came. */
    void token(Stream stream, ServerMessage.Token t, long nowNs) {
        boolean timed = stream.measured && !stream.slowed;
        boolean first = stream.firstNs == 0;
        token(whole, stream, t, nowNs, timed);
        for (Recorder part : parts) {
            token(part, stream, t, nowNs, timed && part.measures(stream.intendedNs));
        }
        ofServer(stream, to -> token(to, stream, t, nowNs, timed));
        stream.lastNs = nowNs;
        if (first) {
            stream.firstNs = nowNs;
        }
    }

    private static void token(Recorder to, Stream stream, ServerMessage.Token t, long nowNs, boolean timed) {
        if (stream.firstNs == 0) {
            to.firstToken(stream.intendedNs, nowNs, t.weightsVersion(), timed, stream.turn > 1);
        } else {
            to.nextToken(stream.lastNs, nowNs, t.weightsVersion(), timed, stream.slowed);
        }
    }

    /** @param unseen tokens that came without a frame of their own */
    void finished(Stream stream, ServerMessage.Finished f, int unseen, long nowNs) {
        whole.unseen(unseen, nowNs);
        parts.forEach(part -> part.unseen(unseen, nowNs));
        ofServer(stream, to -> to.unseen(unseen, nowNs));
        each(stream, to -> to.usage(f.usage()));
        if (f.reason() == FinishReason.CANCELLED || stream.cancelled) {
            each(stream, Recorder::cancelled);
        } else if (stream.slowed) {
            each(stream, Recorder::finishedSlowly);
        } else {
            each(stream, to -> to.finished(stream.times(nowNs, unseen)));
        }
    }

    void failed(Stream stream) {
        each(stream, Recorder::failed);
    }

    void vanished(Stream stream) {
        each(stream, Recorder::vanished);
    }

    Sample sample(long nowNs, int running) {
        return whole.sample(nowNs, running, level(nowNs));
    }

    /** @param kills null if nobody was killed */
    RunResult result(Promises promises, @Nullable Kills kills) {
        double fromS = (windowNs - startNs) / NS_PER_S;
        List<Figures> ofParts = parts.stream().map(part -> part.figures(0, 0, 0, null)).toList();
        boolean constant = profile.isConstant();
        Figures figures = whole.figures(clientCores, ioShare, machineCores, serverUsed, resumptions.figures());
        return new RunResult(figures, constant ? Figure.noise(ofParts) : Map.of(), whole.samples(), whole.marks(),
                constant ? List.of() : stages(ofParts, fromS), fromS, (endNs - startNs) / NS_PER_S,
                promises.counts(), promises.evidence(), serverFigures(), kills);
    }

    private List<ServerFigures> serverFigures() {
        List<ServerFigures> figures = new ArrayList<>();
        for (int i = 0; i < servers.size(); i++) {
            figures.add(new ServerFigures(serverNames.get(i), servers.get(i).figures(0, 0, 0, null)));
        }
        return figures;
    }

    private List<Stage> stages(List<Figures> ofParts, double fromS) {
        double lengthS = plan.duration().toNanos() / NS_PER_S / ofParts.size();
        List<Stage> stages = new ArrayList<>();
        for (int i = 0; i < ofParts.size(); i++) {
            double level = profile.at((i + 0.5) / ofParts.size());
            stages.add(new Stage(plan.arrivals().text(level), level, fromS + i * lengthS, fromS + (i + 1) * lengthS,
                    ofParts.get(i)));
        }
        return stages;
    }
}
