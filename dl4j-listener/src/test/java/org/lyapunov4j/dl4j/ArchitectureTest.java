// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.lyapunov4j", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule nothingDependsOnSamples =
      noClasses().should().dependOnClassesThat().resideInAPackage("org.lyapunov4j.samples..");

  @ArchTest
  static final ArchRule coreKnowsNeitherDeeplearning4jNorMicrometer =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lyapunov4j.dl4j..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.deeplearning4j..", "io.micrometer..", "org.lyapunov4j.dl4j..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("org.lyapunov4j.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule micrometerStaysInMetrics =
      noClasses()
          .that()
          .resideInAnyPackage(
              "org.lyapunov4j.dl4j.gram..",
              "org.lyapunov4j.dl4j.step..",
              "org.lyapunov4j.dl4j.checkpoint..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.micrometer..");

  @ArchTest
  static final ArchRule metricsKnowNoArrays =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.metrics..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.nd4j..", "org.deeplearning4j..");

  @ArchTest
  static final ArchRule theGlobalGeneratorIsLeftAlone =
      noClasses()
          .that()
          .doNotHaveSimpleName("Isolation") // puts it back
          .and()
          .doNotHaveSimpleName("SecondNormal")
          .should()
          .callMethodWhere(
              target(nameMatching("rand|randn|getRandom|getRandomFactory|setSeed|shuffle"))
                  .and(target(owner(resideOutsideOfPackage("org.lyapunov4j..")))))
          .orShould()
          .dependOnClassesThat()
          .resideInAPackage("org.nd4j.linalg.api.rng..")
          .because("ND4J's generator belongs to the training that is watched");

  @ArchTest
  static final ArchRule gramAndStepStandOnTheirOwn =
      classes()
          .that()
          .resideInAnyPackage("org.lyapunov4j.dl4j.gram..", "org.lyapunov4j.dl4j.step..")
          .should()
          .onlyDependOnClassesThat()
          .resideOutsideOfPackages(
              "org.lyapunov4j.dl4j",
              "org.lyapunov4j.dl4j.checkpoint..",
              "org.lyapunov4j.dl4j.metrics..");
}
