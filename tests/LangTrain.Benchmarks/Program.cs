using LangTrain.Benchmarks;

return args switch
{
    ["training-speed", .. var rest] => TrainingSpeed.Run(rest),
    ["training-side", .. var rest] => TrainingSide.Run(rest),
    ["loss-speed"] => LossSpeed.Run(),
    ["matmul-speed", .. var rest] => MatmulSpeed.Run(rest),
    ["data-speed", .. var rest] => DataSpeed.Run(rest),
    ["memory", .. var shapes] => MemoryCheck.Run(shapes),
    ["memory-model", var folder, var shape] => MemoryCheck.WriteModel(folder, shape),
    ["memory-case", var folder, var text] => MemoryCheck.RunCase(folder, text),
    ["serving-speed", .. var rest] => await ServingSpeed.RunAsync(rest),
    ["train-tiny-base-model", .. var rest] => TinyBaseModelTraining.Run(rest),
    ["write-demo-dataset", var folder] => WriteDemo(folder),
    ["service-speed", .. var rest] => ServiceSpeed.RunAsync(rest).GetAwaiter().GetResult(),
    ["plain-server", var url] => PlainServer.Run(url),
    ["check-demo", var baseModel, var dataset] => DemoCheck.Run(baseModel, dataset),
    ["api-overhead", var api, var key, var worker] => ApiOverhead.RunAsync(new Uri(api), key, new Uri(worker)).GetAwaiter().GetResult(),
    _ => Usage(),
};

static int WriteDemo(string folder)
{
    LangTrain.Training.TinyBaseModel.DemoDataset.Write(folder, seed: 7);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("""
        dotnet run -c Release --project tests/LangTrain.Benchmarks -- <verb>

          api-overhead <base url> <key> <worker url>                 what the API adds to the engine's time to the first token
          memory [<shape>|"<case>"]...                                 the estimate of memory beside the measured peak of training steps
          service-speed [models|submit|list|upload]                  LocalHost over Azurite beside a plain ASP.NET Core server and a copy on disk
          loss-speed                                                 the head and its loss alone
          data-speed <model folder> [megabytes] [text|completion] [text file] tokenizing a large JSONL: megabytes a second, peak memory
          matmul-speed                                               the ways to multiply by a weight
          train-tiny-base-model --out <folder> [--documents <n>]    makes the base model that ships with LocalHost
          check-demo <base model folder> <dataset folder>            fine-tunes it on the demo's dataset; held-out exact match before and after
          training-speed [15m|110m|1m|demo|128k] [lora,lora-bf16,qlora,…|full,full-bf16] [--python <command>] [--peers torch,peft] [--steps 20] [--threads 2] [--folder <work folder>]
                                                                     training steps and their peak memory, each side in turn with plain PyTorch where a Python with torch is
                                                                     named there or in LANGTRAIN_BENCHMARK_PYTHON
          serving-speed <15m|110m> [--rounds <n>] [--threads <n>] [--only <part of a line>,...] [--folder <for the weights>]
                        [--llama <words before llama-bench>] [--llama-folder <that folder as llama.cpp sees it>]
                                                                     the engine as served beside llama.cpp on the same weights
        """);
    return 2;
}
