// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The program for {@code spark-submit}. It says on its error stream how far it is, and keeps every
 * result in the folder {@code --keep}, a JSON object a file.
 *
 * <p>Status 0: all done; 1: something was refused or cut short; 2: wrong usage.
 */
public final class SparkMain {
  static final int REFUSED = 1;
  static final int USAGE = 2;

  private static final String HELP =
      """
      usage: analyze --models PLACE[,PLACE...] --data FILE --batch-size B --keep FOLDER [OPTIONS]
             what-if --model MODEL.zip --data FILE --learning-rates ETA[,ETA...]
                     --batch-sizes B[,B...] --keep FOLDER [OPTIONS]
      places and files are on a file system that the executors see
        --data        examples with labels, as DataSet.save writes them
        --keep        where results are written; a second run computes what is missing there
      options
        --sampling    iid, iid-replacement, epoch or ordered
        --tier        economy, standard or full; default standard
        --seed        default 1
        --max-epochs  budget of each estimate
      """;

  private SparkMain() {}

  /**
   * Runs a command in the Spark context that {@code spark-submit} configures.
   *
   * @param args the command with its options
   * @throws IOException if files cannot be read or written
   */
  public static void main(String[] args) throws IOException {
    SparkConf configuration = new SparkConf().setIfMissing("spark.app.name", "lyapunov4j");
    int status = run(args, System.out, System.err, configuration);
    if (status != 0) {
      System.exit(status);
    }
  }

  static int run(String[] args, PrintStream out, PrintStream err, SparkConf configuration)
      throws IOException {
    Options options;
    try {
      options = new Options(args);
      options.check();
    } catch (IllegalArgumentException e) {
      err.println(e.getMessage());
      err.print(HELP);
      return USAGE;
    }
    try (JavaSparkContext spark = new JavaSparkContext(configuration)) {
      SparkResults<?> results = results(spark, options, err);
      results.refused().forEach((name, reason) -> err.println(name + ": " + reason));
      out.printf(
          "%d results in %s, %d refused%s%n",
          results.found().size(),
          options.text("--keep"),
          results.refused().size(),
          results.complete() ? "" : ", cut short");
      return results.refused().isEmpty() && results.complete() ? 0 : REFUSED;
    } catch (IllegalArgumentException | IOException e) {
      err.println(e.getMessage());
      return USAGE;
    }
  }

  private static SparkResults<?> results(JavaSparkContext spark, Options options, PrintStream err)
      throws IOException {
    DataSet data = new DataSet();
    data.load(new ByteArrayInputStream(read(spark, options.text("--data"))));
    SparkStability stability =
        options
            .apply(SparkStability.on(spark))
            .progress(
                seen ->
                    err.printf(
                        "%d of %d, %d refused: %s%n",
                        seen.found(), seen.total(), seen.refused(), seen.latest()));
    if (options.isAnalyze()) {
      return stability
          .batchSize(options.count("--batch-size"))
          .analyze(options.list("--models"), data.toMultiDataSet());
    }
    Model model = ModelBytes.restore(read(spark, options.text("--model")));
    AnalysisSettings settings = AnalysisSettings.standard().withBatchSize(1);
    StabilityAnalysis analysis = StabilityAnalysis.of(model, data, settings);
    GramMatrix gram = analysis.gram().gram();
    SgdStep base = stability.resample(analysis.step().sgd());
    return stability.whatIf(
        gram, base, options.rates("--learning-rates"), options.counts("--batch-sizes"));
  }

  private static byte[] read(JavaSparkContext spark, String place) throws IOException {
    Path path = new Path(place);
    try (InputStream stream = path.getFileSystem(spark.hadoopConfiguration()).open(path)) {
      return stream.readAllBytes();
    }
  }
}
