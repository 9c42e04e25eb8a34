package dev.tidestream.loadtest;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

@AnalyzeClasses(packages = "dev.tidestream.loadtest", importOptions = ImportOption.DoNotIncludeTests.class)
class LoadtestArchTest {
    @ArchTest
    static final ArchRule KNOWS_THE_PROTOCOL_ONLY = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "com.sun.management..", "com.fasterxml.jackson..", "org.jspecify..", "picocli..",
                    "io.netty..", "reactor..", "org.reactivestreams..", "org.HdrHistogram..",
                    "dev.tidestream.console..", "dev.tidestream.protocol..", "dev.tidestream.loadtest..")
            .because("it judges the server from outside");

    @ArchTest
    static final ArchRule PLANS_KNOW_NO_OTHER_ROOM = noClasses()
            .that().resideInAPackage("dev.tidestream.loadtest.plan..")
            .should().dependOnClassesThat()
            .resideInAnyPackage("dev.tidestream.loadtest.wire..", "dev.tidestream.loadtest.run..",
                    "dev.tidestream.loadtest.report..",
                    "io.netty..", "reactor..");

    @ArchTest
    static final ArchRule REPORTS_AND_FIGURES_KNOW_NO_SOCKETS = noClasses()
            .that().resideInAnyPackage("dev.tidestream.loadtest.report..", "dev.tidestream.loadtest.figures..")
            .should().dependOnClassesThat()
            .resideInAnyPackage("dev.tidestream.loadtest.wire..", "dev.tidestream.loadtest.run..", "io.netty..", "reactor..");
}
