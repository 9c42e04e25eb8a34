package dev.tidestream.server.bench.cluster;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import dev.tidestream.server.cluster.route.PrefixChain;
import dev.tidestream.server.cluster.route.RouteRequest;

/** Begins conversations, and goes on with them, until the measured time is over. */
final class Clients {
    private static final PrefixChain CHAIN = new PrefixChain("paced", SimWorker.WEIGHTS_VERSION, null);

    private final SimConfig config;
    private final EventQueue events;
    private final SimRecorder recorder;
    private final List<SimGateway> gateways;
    private final SplittableRandom random;
    private final int[][] begins; // (families, sharedTokens)
    private final double[] upTo; // (families): the share of a family and those before it
    private long conversations;
    private long streams;

    Clients(SimConfig config, EventQueue events, SimRecorder recorder, List<SimGateway> gateways) {
        this.config = config;
        this.events = events;
        this.recorder = recorder;
        this.gateways = gateways;
        random = new SplittableRandom(config.seed());
        Traffic traffic = config.traffic();
        begins = new int[traffic.families()][];
        Arrays.setAll(begins, i -> random.ints(traffic.sharedTokens(), 0, PacedModel.VOCABULARY).toArray());
        upTo = new double[traffic.families()];
        double sum = 0;
        for (int i = 0; i < upTo.length; i++) {
            sum += 1.0 / (i + 1);
            upTo[i] = sum;
        }
        for (int i = 0; i < upTo.length; i++) {
            upTo[i] /= sum;
        }
    }

    /** Begins the first conversation, and thereby all others. */
    void start() {
        double perS = config.traffic().conversationRate() * config.workers();
        long nextNs = SimConfig.ns(Conversation.exponential(random) / perS);
        if (events.nowNs() + nextNs < config.endNs()) {
            events.after(nextNs, () -> {
                begin();
                start();
            });
        }
    }

    private void begin() {
        int found = Arrays.binarySearch(upTo, random.nextDouble());
        int family = Math.min(found < 0 ? -found - 1 : found, begins.length - 1);
        ask(new Conversation(conversations++, random.nextLong(), config.traffic(), begins[family]));
    }

    private void ask(Conversation conversation) {
        int[] prompt = conversation.nextPrompt();
        RouteRequest route = RouteRequest.newest(CHAIN.blocks(prompt), SimWorker.WEIGHTS_VERSION);
        SimStream stream = new SimStream(++streams, conversation, prompt, conversation.nextOutputTokens(), events.nowNs(), route);
        recorder.asked(stream);
        gateways.get((int) (conversation.number() % gateways.size())).start(stream, this::ended);
    }

    private void ended(SimStream stream) {
        Conversation conversation = stream.conversation();
        conversation.answered(stream.tokens());
        long thinkNs = conversation.nextThinkNs();
        if (conversation.goesOn() && events.nowNs() + thinkNs < config.endNs()) {
            events.after(thinkNs, () -> ask(conversation));
        }
    }
}
