using LangTrain.Contracts.Generation;
using LangTrain.Inference;
using LangTrain.Modeling;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.Generation;

/// <summary>What the client of a request that could not be answered is told.</summary>
internal static class GenerationFailures
{
    /// <summary>The failure for its client; null when it is this product's own and only the log may know it.</summary>
    /// <param name="failure">What happened.</param>
    /// <param name="prompt">The parameter that the prompt came in.</param>
    public static GenerationFailure? Known(Exception failure, string prompt = "messages") => failure switch
    {
        ContextLengthExceededException => new(400, "context_length_exceeded", failure.Message, prompt),
        GenerationParameterException parameter => new(400, "invalid_value", failure.Message, parameter.Parameter),
        ChatTemplateException => new(400, "chat_template_error", failure.Message, "messages"),
        EndlessPatternException => new(400, "tokenizer_error", failure.Message, prompt),
        OperationCanceledException => new(503, "worker_stopping", "The worker is stopping; try again.", null, 2),
        EngineQueueFullException full => new(503, "overloaded", failure.Message, null, (int)Math.Ceiling(full.RetryAfter.TotalSeconds)),
        ServingMemoryException => new(503, "overloaded", failure.Message, null, 5),
        ModelFilesMissingException or UnsupportedModelException or UnsupportedTokenizerException or AdapterRefusedException => new(409, "model_not_ready", failure.Message, "model"),
        _ => null,
    };

    /// <summary>What is said of a failure that is not the client's.</summary>
    public static GenerationFailure Internal { get; } = new(500, "internal_error", "The model failed to answer.");
}
