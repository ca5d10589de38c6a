using System.Text;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>The text that the tiny base model learned everything from: written by this code, the same for the same seed, without end.</summary>
/// <remarks>
/// Stories and facts give it its English; orders, cards and lists, each in a layout of its own, give it the skill to copy the right words to the
/// right place, which is what a fine-tune builds on.
/// </remarks>
public static class TinyCorpus
{
    /// <summary>Documents as the model reads them: plain text, or a conversation with the marks of the model's chat template in it.</summary>
    /// <param name="seed">Documents of different seeds have nothing to do with each other.</param>
    /// <returns>A sequence without end, generated as it is read.</returns>
    public static IEnumerable<string> Documents(long seed)
    {
        for (var i = 0L; ; i++)
        {
            // Each document has its own stream, so that changing one kind leaves the others as they were.
            yield return Document(TinyRandom.For(seed, TinyPart.Corpus, i));
        }
    }

    /// <summary>Texts to learn the vocabulary from: the documents without the template's marks.</summary>
    /// <param name="seed">As for <see cref="Documents"/>.</param>
    public static IEnumerable<string> TextsForVocabulary(long seed) =>
        Documents(seed).SelectMany(document => document.Split([TinyModelFiles.TurnStart, TinyModelFiles.TurnEnd], StringSplitOptions.RemoveEmptyEntries));

    private static string Document(TinyRandom random) => random.Between(0, 99) switch
    {
        < 20 => TinyStories.Story(random),
        < 26 => TinyQuestions.Facts(random),
        < 38 => TinyQuestions.Document(random),
        < 52 => TinyCards.Document(random),
        < 66 => TinyCards.Copying(random),
        _ => Conversation(random),
    };

    private static string Conversation(TinyRandom random)
    {
        var text = new StringBuilder();
        foreach (var (user, assistant) in TinyChats.Conversation(random))
        {
            text.Append(TinyModelFiles.TurnStart).Append("user\n").Append(user).Append(TinyModelFiles.TurnEnd).Append('\n');
            text.Append(TinyModelFiles.TurnStart).Append("assistant\n").Append(assistant).Append(TinyModelFiles.TurnEnd).Append('\n');
        }
        return text.ToString();
    }
}
