package dev.tidestream.server.transport;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

@AnalyzeClasses(packages = "dev.tidestream.server.transport", importOptions = ImportOption.DoNotIncludeTests.class)
class TransportArchTest {
    @ArchTest
    static final ArchRule KNOWS_PROTOCOL_ENGINE_AND_ADMIN_BUS_ONLY = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.tidestream.model..", "dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..",
                    "dev.tidestream.server.admin", "dev.tidestream.server.cli..")
            .because("frames in, frames out, nothing else");
}
