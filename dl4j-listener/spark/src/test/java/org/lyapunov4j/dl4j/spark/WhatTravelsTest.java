// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.Serializable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/** What goes from the driver to executors: which classes, and that they arrive as they were. */
class WhatTravelsTest {
  private static final SentSettings SETTINGS =
      new SentSettings(4, MiniBatchSampling.SHUFFLED_EPOCHS, Tier.FULL, 7, 100);

  /** A work of each kind; Spark's broadcasts write a number in place of what they hold. */
  static List<Work> works() {
    return List.of(
        new AnalyzeModel(new SavedModel("file:/m.zip", 3, 4), null, null, SETTINGS),
        new AnalyzeMember("probe-0-seed-1", null, null, SETTINGS.withSeed(1)),
        new GridColumn(null, SETTINGS, List.of(SgdStep.of(0.1, 4), SgdStep.of(0.2, 4))),
        new Realisations(
            null, SgdStep.of(0.1, 4).withMomentum(new Momentum.HeavyBall(0.5)), 40, 8, 7));
  }

  /** A class that is sent by mistake would have to be added here. */
  @Test
  void noOtherClassesCanBeSent() {
    Set<String> found =
        new ClassFileImporter()
                .withImportOption(new DoNotIncludeTests())
                .importPackages("org.lyapunov4j.dl4j.spark")
                .stream()
                .filter(type -> type.isAssignableTo(Serializable.class))
                .map(JavaClass::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new));
    assertThat(found)
        .containsExactly(
            "AnalyzeMember",
            "AnalyzeModel",
            "GridColumn",
            "Realisations",
            "SavedModel",
            "SentGram",
            "SentSettings",
            "Work");
    assertThat(works().stream().map(work -> work.getClass().getSimpleName()))
        .containsExactlyInAnyOrder("AnalyzeModel", "AnalyzeMember", "GridColumn", "Realisations");
  }

  @ParameterizedTest
  @MethodSource("works")
  void aWorkArrivesAsItWasAndBringsPlainValues(Work work) throws Exception {
    Set<String> classes = new TreeSet<>();
    assertThat(received(work, classes)).isEqualTo(work);
    assertThat(classes)
        .allMatch(name -> name.matches("(org\\.lyapunov4j\\.|java\\.(lang|util|time)\\.|\\[).*"))
        .noneMatch(name -> name.contains("$$Lambda") || name.contains("SerializedLambda"));
  }

  @Test
  void aMatrixArrivesInItsPrecision() throws Exception {
    double[][] rows = {{2, 0.1}, {0.1, 1}};
    float[][] floats = {{2, 0.5f}, {0.5f, 1}};
    for (GramMatrix gram :
        List.of(
            GramMatrix.of(rows, 1, 2).withEpsilon(1e-7),
            GramMatrix.adopt(floats, 2, 1).withEpsilon(1e-6))) {
      SentGram sent = new SentGram(gram);
      sent.analysis(new SentSettings(1, null, Tier.ECONOMY, 1, 0)); // stays here
      Set<String> classes = new TreeSet<>();
      SentGram received = (SentGram) received(sent, classes);
      assertThat(classes)
          .containsExactlyInAnyOrder(
              gram.isSinglePrecision()
                  ? new String[] {SentGram.class.getName(), "[[F", "[F"}
                  : new String[] {SentGram.class.getName(), "[[D", "[D"});
      assertThat(received.hash()).isEqualTo(sent.hash());
      assertThat(received.gram().toArray()).isEqualTo(gram.toArray());
      assertThat(received.gram().epsilon()).isEqualTo(gram.epsilon());
      assertThat(received.gram().isSinglePrecision()).isEqualTo(gram.isSinglePrecision());
      assertThat(received.gram().outputs()).isEqualTo(gram.outputs());
    }
  }

  private static Object received(Object sent, Set<String> classes)
      throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
      stream.writeObject(sent);
    }
    try (ObjectInputStream stream =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())) {
          @Override
          protected Class<?> resolveClass(ObjectStreamClass type)
              throws IOException, ClassNotFoundException {
            classes.add(type.getName());
            return super.resolveClass(type);
          }
        }) {
      return stream.readObject();
    }
  }
}
