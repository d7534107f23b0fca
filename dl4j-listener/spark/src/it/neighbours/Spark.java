// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** A job of Spark's beside training with the listener. */
final class Spark {
  private Spark() {}

  public static void main(String[] args) throws Exception {
    SparkConf configuration =
        new SparkConf()
            .setMaster("local[1]")
            .setAppName("neighbour")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1")
            .set("spark.driver.bindAddress", "127.0.0.1");
    try (JavaSparkContext spark = new JavaSparkContext(configuration)) {
      System.out.println("SUM " + spark.parallelize(List.of(1, 2, 3)).map(i -> 2 * i).reduce(Integer::sum));
      Train.run(Path.of(args[0]));
    }
  }
}
