package dev.tidestream.server;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The import law of the replicated log of weight versions. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class ClusterLogArchTest {

    @ArchTest
    static void shouldHaveLoadedTheClasses(JavaClasses classes) {
        for (String name : new String[] {"log.WeightLog", "blob.BlobStore", "peer.PeerServer", "follow.NodeFollower"}) {
            assertTrue(classes.contain("dev.tidestream.server.cluster." + name), name);
        }
    }

    @ArchTest
    static final ArchRule RATIS_IN_THE_LOG = noClasses().that().resideOutsideOfPackage("dev.tidestream.server.cluster.log")
            .should().dependOnClassesThat().resideInAPackage("org.apache.ratis..");

    /** It orders versions, and knows nothing of what they are versions of. */
    @ArchTest
    static final ArchRule LOG = classes().that().resideInAPackage("dev.tidestream.server.cluster.log")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "org.slf4j", "org.apache.ratis..",
                    "com.fasterxml.jackson..", "io.vertx.core..", "dev.tidestream.console", "dev.tidestream.protocol.admin",
                    "dev.tidestream.server.admin.store.directory", "dev.tidestream.server.cluster.[log|blob|peer]");

    @ArchTest
    static final ArchRule BLOBS = classes().that().resideInAPackage("dev.tidestream.server.cluster.blob")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "org.slf4j", "io.vertx.core..",
                    "dev.tidestream.console", "dev.tidestream.server.admin.store.directory", "dev.tidestream.server.cluster.[blob|peer]");

    @ArchTest
    static final ArchRule PEERS = classes().that().resideInAPackage("dev.tidestream.server.cluster.peer")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "org.slf4j", "io.vertx.core..", "dev.tidestream.server.cluster.peer");

    /** It has versions built, and is no builder. */
    @ArchTest
    static final ArchRule FOLLOWER = noClasses().that().resideInAPackage("dev.tidestream.server.cluster.follow")
            .should().dependOnClassesThat().resideInAnyPackage("io.vertx..", "dev.tidestream.model..",
                    "dev.tidestream.server.admin.[build|channel|transaction]..", "dev.tidestream.server.epoch..",
                    "dev.tidestream.server.engine..", "dev.tidestream.server.transport..");

    /** Administrators' changes are agreed on with whoever is there: nothing of them knows a cluster. */
    @ArchTest
    static final ArchRule ADMIN_KNOWS_NO_CLUSTER = noClasses().that().resideInAPackage("dev.tidestream.server.admin..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.cluster..");
}
