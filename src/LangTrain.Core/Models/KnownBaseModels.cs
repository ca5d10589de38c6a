namespace LangTrain.Core.Models;

/// <summary>Open models that are listed before anybody has brought their weights, so that people see what they can bring.</summary>
/// <remarks>Numbers from the models' own cards and checkpoints.</remarks>
internal static class KnownBaseModels
{
    public static IReadOnlyList<(string Id, string Category, long Parameters, int Context)> All { get; } =
    [
        ("HuggingFaceTB/SmolLM3-3B", "chat", 3_075_098_624, 65_536),
        ("Qwen/Qwen2.5-0.5B-Instruct", "instruct", 494_032_768, 32_768),
        ("Qwen/Qwen2.5-7B-Instruct", "instruct", 7_615_616_512, 32_768),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "code", 7_615_616_512, 32_768),
        ("Qwen/Qwen3-8B", "chat", 8_190_735_360, 40_960),
        ("allenai/OLMo-2-0425-1B-Instruct", "instruct", 1_484_916_736, 4_096),
        ("google/gemma-2-2b-it", "instruct", 2_614_341_888, 8_192),
        ("ibm-granite/granite-3.3-2b-instruct", "instruct", 2_533_539_840, 131_072),
        ("meta-llama/Llama-2-7b-chat-hf", "chat", 6_738_415_616, 4_096),
        ("meta-llama/Llama-2-7b-hf", "base", 6_738_415_616, 4_096),
        ("meta-llama/Llama-3.1-8B", "base", 8_030_261_248, 131_072),
        ("meta-llama/Llama-3.1-8B-Instruct", "instruct", 8_030_261_248, 131_072),
        ("meta-llama/Llama-3.2-1B", "base", 1_235_814_400, 131_072),
        ("meta-llama/Llama-3.2-1B-Instruct", "instruct", 1_235_814_400, 131_072),
        ("microsoft/Phi-3-mini-4k-instruct", "instruct", 3_821_079_552, 4_096),
        ("mistralai/Mistral-7B-Instruct-v0.3", "instruct", 7_248_023_552, 32_768),
        ("mistralai/Mistral-7B-v0.3", "base", 7_248_023_552, 32_768),
        ("openai-community/gpt2", "base", 124_439_808, 1_024),
    ];
}
