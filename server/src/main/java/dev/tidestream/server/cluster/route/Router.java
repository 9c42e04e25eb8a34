package dev.tidestream.server.cluster.route;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Chooses the node where a stream costs least: blocks of its prompt that have to be computed there, and the streams that run and wait
 * there, weighed by {@link RouteWeights}.
 *
 * <p>What it keeps true:
 * <ul>
 *   <li><b>Only who can.</b> A node that drains, or has not the version or the adapter, is never chosen ({@link Obstacle}).
 *   <li><b>Prefixes are a guess.</b> The router remembers what it sent where and is told nothing; a node that has forgotten computes the
 *       prompt, with the same bits. What it remembers is bounded, for each node and in the number of nodes.
 *   <li><b>No node runs hot.</b> Who has {@link RouteWeights#balance} times its share of the streams of all that could be chosen, by
 *       slots, and {@link RouteWeights#slack} more, is passed over, whatever it has computed before. Somebody is below that always.
 *   <li><b>Reports may be old.</b> Streams that were sent since a node's report count as if it had told of them, so those that come
 *       between two reports do not all go to the node that was free in the first.
 *   <li><b>The same for all.</b> Nothing depends on time or chance. Where costs are equal a hash of node and prefix decides, so
 *       gateways that know nothing of each other send equal prompts to the same node.
 * </ul>
 * The cost is that of NVIDIA Dynamo's and llm-d's routers (uncached blocks and active load, added up), the memory that of SGLang's
 * (what was sent, no events of the nodes), the bound that of consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam,
 * SODA 2018). Any thread; a call takes microseconds under a lock.
 */
public final class Router {
    private final RouteWeights weights;
    private final Map<String, SentBlocks> sent;

    /** One that has sent nothing. */
    public Router(RouteWeights weights) {
        this.weights = weights;
        sent = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, SentBlocks> eldest) {
                return size() > weights.maxNodes();
            }
        };
    }

    /** A node that could be chosen, with the streams that it has and was sent. */
    private record Candidate(NodeView view, int running, int waiting, int known) {
        int streams() {
            return running + waiting;
        }
    }

    /**
     * The node that a stream should go to; {@link #sent} says that it went. A caller whom that node refuses asks again without it.
     *
     * @param nodes all that live; of those of one name the first counts
     * @return empty if none can take it; {@link Obstacle#of(RouteRequest, java.util.Collection)} says why
     */
    public synchronized Optional<NodeView> choose(RouteRequest request, List<NodeView> nodes) {
        List<Candidate> candidates = new ArrayList<>(nodes.size());
        long streams = 1; // this one, too
        long slots = 0;
        for (NodeView node : nodes) {
            if (Obstacle.of(request, node) == null) {
                Candidate candidate = candidate(request, node);
                candidates.add(candidate);
                streams += candidate.streams();
                slots += node.slots();
            }
        }
        Candidate best = null;
        double bestCost = 0;
        for (Candidate candidate : candidates) {
            double share = (double) streams * candidate.view.slots() / slots;
            if (candidate.streams() + 1 > weights.balance() * share + weights.slack()) {
                continue;
            }
            double cost = cost(request, candidate);
            if (best == null || cost < bestCost || (cost == bestCost && before(request, candidate, best))) {
                best = candidate;
                bestCost = cost;
            }
        }
        return Optional.ofNullable(best).map(Candidate::view);
    }

    private Candidate candidate(RouteRequest request, NodeView node) {
        SentBlocks known = sent.get(node.node());
        int more = known == null ? 0 : known.streamsSince(node.report());
        int toSlots = Math.clamp(node.slots() - node.running(), 0, more);
        return new Candidate(node, node.running() + toSlots, node.waiting() + more - toSlots,
                known == null ? 0 : known.known(request.blocks()));
    }

    private double cost(RouteRequest request, Candidate candidate) {
        return weights.uncachedBlock() * (request.blocks().length - candidate.known)
                + weights.running() * candidate.running
                + weights.waiting() * candidate.waiting
                + weights.kvUse() * candidate.view.kvUse();
    }

    private static boolean before(RouteRequest request, Candidate a, Candidate b) {
        int byHash = Long.compareUnsigned(rank(request, a.view), rank(request, b.view));
        return byHash != 0 ? byHash < 0 : a.view.node().compareTo(b.view.node()) < 0;
    }

    /** Rendezvous hashing (Thaler and Ravishankar, 1998). */
    private static long rank(RouteRequest request, NodeView node) {
        long mixed = (request.blocks().length == 0 ? 0 : request.blocks()[0]) ^ node.node().hashCode() * 0x9E37_79B9_7F4A_7C15L;
        mixed = (mixed ^ mixed >>> 30) * 0xBF58_476D_1CE4_E5B9L; // the finisher of SplitMix64
        mixed = (mixed ^ mixed >>> 27) * 0x94D0_49BB_1331_11EBL;
        return mixed ^ mixed >>> 31;
    }

    /** A stream goes to that node, which therefore will have its blocks, and the stream. */
    public synchronized void sent(NodeView node, RouteRequest request) {
        sent.computeIfAbsent(node.node(), name -> new SentBlocks(weights.blocksPerNode())).add(node.report(), request.blocks());
    }

    /** A node is gone, or has begun anew: it has none of what it was sent. */
    public synchronized void forget(String node) {
        sent.remove(node);
    }

    /** Blocks that are remembered of a node, 0 of one that nothing is known of. */
    public synchronized int remembered(String node) {
        SentBlocks known = sent.get(node);
        return known == null ? 0 : known.size();
    }
}
