package dev.tidestream.server.receipts;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

@AnalyzeClasses(packages = "dev.tidestream.server", importOptions = ImportOption.DoNotIncludeTests.class)
class ReceiptsArchTest {
    /** A receipt is data: it knows what the engine took down, and no wire. */
    @ArchTest
    static final ArchRule RECEIPTS = noClasses().that().resideInAPackage("dev.tidestream.server.receipts")
            .should().dependOnClassesThat().resideInAnyPackage("io.vertx..", "io.netty..", "reactor..", "dev.tidestream.model..",
                    "dev.tidestream.server.[admin|app|chat|epoch|keys|openai|resume|scheduler|transport]..",
                    "dev.tidestream.server.receipts.verify");

    /** Streams are computed again by a client of the engine, whom only the app knows. */
    @ArchTest
    static final ArchRule VERIFICATION = noClasses().that().resideInAPackage("dev.tidestream.server.receipts.verify")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..",
                    "dev.tidestream.server.admin..", "dev.tidestream.server.transport", "dev.tidestream.server.transport.websocket..")
            .orShould().dependOnClassesThat().resideInAnyPackage("dev.tidestream.model.transformer..", "dev.tidestream.model.tensor..");
}
