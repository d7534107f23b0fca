// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** Checkpoints of a small Gram matrix, one of each kind, with as much in them as there can be. */
public final class SampleCheckpoints {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  /** Two examples are the same, so that the diagnosis has something to say. */
  private static final GramMatrix GRAM =
      GramMatrix.of(
          new double[][] {
            {2, 0.5, 2, 0, 0, 0, 0, 0},
            {0.5, 3, 0.5, 0.1, 0, 0, 0, 0},
            {2, 0.5, 2, 0, 0, 0, 0, 0},
            {0, 0.1, 0, 1, 0.2, 0, 0, 0},
            {0, 0, 0, 0.2, 1.5, 0.3, 0, 0},
            {0, 0, 0, 0, 0.3, 2.5, 0.1, 0},
            {0, 0, 0, 0, 0, 0.1, 1, 0.2},
            {0, 0, 0, 0, 0, 0, 0.2, 1.2}
          },
          8,
          1);

  private SampleCheckpoints() {}

  /**
   * One of each kind.
   *
   * @return with λ as an estimate, only bounded, of an updater that warms up, with an edge alone,
   *     observed with and without curvature, and of the full batch, which is exact
   */
  public static List<Checkpoint> all() {
    return List.of(estimated(), bounded(), warmingUp(), gauge(), observed(), kernel(), fullBatch());
  }

  /**
   * One with λ as an estimate.
   *
   * @return with all that the tier FULL has
   */
  public static Checkpoint estimated() {
    SgdStep step = SgdStep.of(0.2, 2);
    return checkpoint(
        Tier.FULL, new TrainingStep(step, List.of("the iterator was not asked")), report(step));
  }

  private static Checkpoint bounded() {
    SgdStep step = SgdStep.of(0.2, 2).withL2(0.1).withDecayInPart(true);
    return checkpoint(Tier.FULL, new TrainingStep(step, List.of()), report(step));
  }

  private static Checkpoint fullBatch() {
    SgdStep step = SgdStep.of(0.2, 8);
    return checkpoint(Tier.FULL, new TrainingStep(step, List.of()), report(step));
  }

  private static Checkpoint warmingUp() {
    SgdStep step =
        SgdStep.of(0.1, 2).withMomentum(new Momentum.HeavyBall(0.5)).withWeightDecay(0.01);
    Level level = new Level.Approximate("a constant preconditioner", "of order 1 − β₂");
    return checkpoint(
        Tier.FULL,
        new TrainingStep("Adam", step, level, Optional.of("3 gradients seen"), List.of()),
        report(step));
  }

  private static Checkpoint gauge() {
    SgdStep step = SgdStep.of(0.2, 2);
    Level level = new Level.Approximate("a linear step", "measured", 1.5);
    return checkpoint(Tier.FULL, new TrainingStep("AMSGrad", step, level, List.of()), edge(step));
  }

  private static Checkpoint observed() {
    return checkpoint(
        Tier.FULL,
        new TrainingStep(
            "Sgd", SgdStep.of(0, 2), new Level.Observed("there is no rate", "use Sgd"), List.of()),
        new ObservedReport(
            8,
            1,
            OptionalDouble.of(0.4),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            List.of()));
  }

  private static Checkpoint kernel() {
    return checkpoint(
        Tier.ECONOMY,
        new TrainingStep(
            "Sgd", SgdStep.of(0.1, 2), new Level.Observed("no curvature", "use L2"), List.of()),
        new ObservedReport(
            8,
            1,
            OptionalDouble.empty(),
            OptionalDouble.of(0.4),
            OptionalDouble.of(1.25),
            List.of("a product was wrong")));
  }

  private static EdgeReport edge(SgdStep step) {
    StabilityReport found = report(step);
    return new EdgeReport(
        found.examples(),
        found.outputs(),
        step,
        found.sharpness(),
        found.classicEdgeRatio(),
        found.criticalLearningRate(),
        1.5,
        found.remarks());
  }

  private static StabilityReport report(SgdStep step) {
    StabilityReport found =
        StabilityAnalyzer.builder()
            .seed(3)
            .maxEpochs(64)
            .tier(Tier.FULL)
            .build()
            .analyze(GRAM, step);
    return new StabilityReport(
        found.examples(),
        found.outputs(),
        found.step(),
        found.exponent(),
        found.gdExponent(),
        found.sharpness(),
        found.classicEdgeRatio(),
        found.certificate(),
        found.meanSquare(),
        found.criticalLearningRate(),
        found.criticalBatchSize(),
        found.sumOfExponents(),
        found.diagnosis(),
        found.verdict(),
        List.of("the native routine was wrong, Java took its place"));
  }

  private static Checkpoint checkpoint(Tier tier, TrainingStep step, Findings findings) {
    boolean stability = findings instanceof StabilityReport;
    double[] residuals = {1, -2, 3, 0.5, 1, 1, -1, 2};
    return new Checkpoint(
        "run",
        30,
        2,
        NOW,
        0.25,
        0.125,
        tier,
        step,
        List.of("dropout was off"),
        findings,
        stability ? Optional.of(new EdgeForecast(500, 420, 640)) : Optional.empty(),
        stability ? List.of(report(step.sgd()), report(step.sgd())) : List.of(),
        Optional.of(BatchSharpness.estimate(GRAM, residuals, step.sgd(), 8, new RandomStream(1))),
        stability
            ? Optional.of(
                new TrajectoryExponent.Window(
                    1, 10, 4, -0.5, 20, -1.5, TrajectoryExponent.Curvature.HESSIAN, 1e-9))
            : Optional.empty(),
        stability
            ? Optional.of(
                FiniteTimeEstimator.builder()
                    .residual(residuals)
                    .build()
                    .estimate(GRAM, step.sgd(), 10))
            : Optional.empty(),
        512,
        Duration.ofMillis(20),
        Duration.ofMillis(30));
  }
}
