package dev.tidestream.server;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The import law of docs/ARCHITECTURE.md for the rooms of a cluster. */
@AnalyzeClasses(packages = "dev.tidestream.server", importOptions = ImportOption.DoNotIncludeTests.class)
class ClusterArchTest {

    @ArchTest
    static void shouldHaveLoadedTheClasses(JavaClasses classes) {
        for (String name : new String[] {
            "gateway.RemoteEngine", "worker.StreamsEndpoint", "registry.VertxRegistry", "node.ClusterNode", "wire.ClusterCodec", "route.Router"
        }) {
            assertTrue(classes.contain("dev.tidestream.server.cluster." + name), name);
        }
    }

    /** What nodes say to each other is of the engine's requests and events, whatever carries it. */
    @ArchTest
    static final ArchRule CLUSTER_WIRE = forbid("dev.tidestream.server.cluster.wire..", "io.vertx..", "io.netty..", "dev.tidestream.model..",
            "dev.tidestream.server.[admin|epoch|scheduler|transport]..");

    /** Where a stream should go is arithmetic over what nodes say. */
    @ArchTest
    static final ArchRule CLUSTER_ROUTE = classes().that().resideInAPackage("dev.tidestream.server.cluster.route..")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "dev.tidestream.server.cluster.route..");

    /** A gateway computes nothing: of the model it sees the tokenizer. */
    @ArchTest
    static final ArchRule CLUSTER_GATEWAY = noClasses().that().resideInAPackage("dev.tidestream.server.cluster.gateway..")
            .should().dependOnClassesThat(resideInAPackage("dev.tidestream.model..")
                    .and(not(resideInAPackage("dev.tidestream.model.tokenizer"))))
            .orShould().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.[admin|epoch|scheduler]..",
                    "dev.tidestream.server.cluster.worker..", "com.hazelcast..");

    @ArchTest
    static final ArchRule CLUSTER_WORKER = forbid("dev.tidestream.server.cluster.worker..", "dev.tidestream.model..",
            "dev.tidestream.server.[admin|epoch|scheduler]..", "dev.tidestream.server.cluster.[gateway|registry]..");

    /** A cluster manager is for the registry alone, and another one can take its place. */
    @ArchTest
    static final ArchRule HAZELCAST_IN_THE_REGISTRY = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.cluster.registry..")
            .should().dependOnClassesThat().resideInAnyPackage("com.hazelcast..", "io.vertx.spi.cluster..");

    /** Neither clients' wires nor the engine know that there are other nodes. */
    @ArchTest
    static final ArchRule NOBODY_BELOW_KNOWS_THE_CLUSTER = noClasses()
            .that().resideInAnyPackage("dev.tidestream.server.[engine|epoch|keys|metrics|openai|resume|scheduler|transport]..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.cluster..");

    private static ArchRule forbid(String room, String... packages) {
        return noClasses().that().resideInAPackage(room).should().dependOnClassesThat().resideInAnyPackage(packages);
    }
}
