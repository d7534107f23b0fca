// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.lyapunov4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule coreKnowsNeitherDl4jNorMicrometer =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.deeplearning4j..",
              "io.micrometer..",
              "org.lyapunov4j.dl4j..",
              "org.lyapunov4j.samples..");

  @ArchTest
  static final ArchRule packagesFormNoCycle =
      slices().matching("org.lyapunov4j.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule stepsKnowNothingElse =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.step..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.lyapunov4j.gram..",
              "org.lyapunov4j.exponent..",
              "org.lyapunov4j.stability..",
              "org.nd4j..");

  @ArchTest
  static final ArchRule nobodyDrawsFromForeignGenerators =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.nd4j.linalg.api.rng..", "java.util.random..")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.util.Random")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.util.SplittableRandom");
}
