package dev.tidestream.server.cluster.registry;

import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.NetworkConfig;
import com.hazelcast.config.RestApiConfig;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.spi.cluster.hazelcast.ConfigUtil;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;

/**
 * Hazelcast, which finds the peers that it is told of by TCP, and looks for nobody else: no multicast, no discovery in clouds, no REST, and
 * no word to its makers.
 */
public final class HazelcastManagers implements ClusterManagers {
    private static final int FREE_PORTS = 100; // tried from the default on, where none was named
    private static final String HEARTBEAT_S = "1";
    private static final String LOST_AFTER_S = "10";
    private static final String CALL_TIMEOUT_MS = "5000";
    private static final String THREADS = "2";
    private static final String LOGGING = "hazelcast.logging.type";
    private static final String SLF4J = "slf4j";

    /** What it says before it has read a configuration goes to the log as well. */
    private static void logToOurs() {
        if (System.getProperty(LOGGING) == null) {
            System.setProperty(LOGGING, SLF4J);
        }
    }

    @Override
    public ClusterManager make(Membership membership) {
        logToOurs();
        Config config = ConfigUtil.loadConfig(); // with the maps that Vert.x needs
        config.setClusterName(membership.name());
        config.setProperty("hazelcast.phone.home.enabled", "false");
        config.setProperty(LOGGING, SLF4J);
        config.setProperty("hazelcast.shutdownhook.enabled", "false");
        config.setProperty("hazelcast.heartbeat.interval.seconds", HEARTBEAT_S);
        config.setProperty("hazelcast.max.no.heartbeat.seconds", LOST_AFTER_S);
        config.setProperty("hazelcast.operation.call.timeout.millis", CALL_TIMEOUT_MS);
        config.setProperty("hazelcast.operation.thread.count", THREADS);
        config.setProperty("hazelcast.operation.generic.thread.count", THREADS);
        config.setProperty("hazelcast.io.thread.count", "1");
        config.setProperty("hazelcast.wait.seconds.before.join", "0");
        config.getJetConfig().setEnabled(false);
        network(config.getNetworkConfig(), membership);
        return new HazelcastClusterManager(config);
    }

    private static void network(NetworkConfig network, Membership membership) {
        boolean anyPort = membership.port() == 0;
        network.setPort(anyPort ? NetworkConfig.DEFAULT_PORT : membership.port());
        network.setPortAutoIncrement(anyPort).setPortCount(anyPort ? FREE_PORTS : 1);
        network.setReuseAddress(true);
        network.getInterfaces().setEnabled(true).addInterface(membership.host());
        network.setRestApiConfig(new RestApiConfig().setEnabled(false));
        JoinConfig join = network.getJoin();
        join.getMulticastConfig().setEnabled(false);
        join.getAutoDetectionConfig().setEnabled(false);
        join.getTcpIpConfig().setEnabled(true).setConnectionTimeoutSeconds(1).setMembers(membership.peers());
    }
}
