package dev.tidestream.server.bench.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.scheduler.GeneratedToken;

/** Clients, gateways and workers over one {@link EventQueue}. */
public final class Simulation {
    private static final double DRAIN_S = 600;

    private final SimConfig config;
    private final EventQueue events = new EventQueue();
    private final SimRecorder recorder;
    private final Map<String, SimWorker> workers = new LinkedHashMap<>();
    private final List<SimGateway> gateways;
    private final long hopNs;

    private Simulation(SimConfig config) {
        this.config = config;
        recorder = new SimRecorder(config);
        hopNs = SimConfig.ns(config.hopMs() / 1000);
        gateways = IntStream.range(0, config.gateways())
                .mapToObj(i -> new SimGateway(config, config.seed() + i, events, recorder, workers)).toList();
        Hears hears = new Hears();
        for (int i = 0; i < config.workers(); i++) {
            String name = "w" + i;
            workers.put(name, new SimWorker(name, config, events, hears));
        }
    }

    /**
     * Simulates; the same configuration gives the same result. Requests that come in the measured time are waited for, ten minutes at
     * most.
     *
     * @throws IllegalStateException if a stream has lost a token, or got one twice
     */
    public static SimResult run(SimConfig config) {
        return new Simulation(config).run();
    }

    private SimResult run() {
        try {
            long reportNs = SimConfig.ns(config.reportMs() / 1000);
            int number = 0;
            for (SimWorker worker : workers.values()) {
                NodeView first = worker.report();
                gateways.forEach(gateway -> gateway.sees(first));
                events.at(reportNs * number++ / workers.size(), () -> reports(worker, reportNs));
            }
            planFault();
            new Clients(config, events, recorder, gateways).start();
            events.runUntil(config.endNs() + SimConfig.ns(DRAIN_S));
            return recorder.result();
        } finally {
            workers.values().stream().filter(SimWorker::alive).forEach(SimWorker::kill);
        }
    }

    private void reports(SimWorker worker, long everyNs) {
        if (worker.alive()) {
            NodeView view = worker.report();
            events.after(hopNs, () -> {
                if (worker.alive()) {
                    gateways.forEach(gateway -> gateway.sees(view));
                }
            });
        }
        if (events.nowNs() < config.endNs()) {
            events.after(everyNs, () -> reports(worker, everyNs));
        }
    }

    private void planFault() {
        Fault fault = config.fault();
        if (fault == null) {
            return;
        }
        List<SimWorker> rack = new ArrayList<>();
        int number = 0;
        for (SimWorker worker : workers.values()) {
            if (number++ % Fault.RACKS == 0) {
                rack.add(worker);
            }
        }
        long atNs = config.warmUpNs() + SimConfig.ns(fault.atS());
        events.at(atNs, () -> rack.forEach(SimWorker::kill));
        events.at(atNs + SimConfig.ns(fault.detectS()),
                () -> rack.forEach(worker -> gateways.forEach(gateway -> gateway.misses(worker.name()))));
        events.at(atNs + SimConfig.ns(fault.backS()), () -> rack.forEach(SimWorker::start));
    }

    /** Hands on what workers say to the gateway that asked. */
    private final class Hears implements SimWorker.Listener {
        @Override
        public void token(SimWorker from, SimStream stream, GeneratedToken token) {
            of(stream).token(from, stream, token);
        }

        @Override
        public void refused(SimWorker from, SimStream stream) {
            of(stream).refused(from, stream);
        }

        @Override
        public void computes(SimWorker worker, long fromNs, long toNs) {
            recorder.computes(worker.name(), fromNs, toNs);
        }

        private SimGateway of(SimStream stream) {
            return gateways.get((int) (stream.conversation().number() % gateways.size()));
        }
    }
}
