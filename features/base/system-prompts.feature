@chat
Feature: System prompts
  What the system prompt says holds for the conversation, and for no other.

  Scenario Outline: The secret of the system prompt is known: <word>
    Given the system prompt "The secret word is <word>."
    And at most 12 tokens
    When I ask "What is the secret word?"
    Then the reply mentions "<word>"

    Examples:
      | word   |
      | banana |
      | river  |

  Scenario: What nobody told the model it does not know
    Given at most 24 tokens
    When I ask "What is the secret word?"
    Then the reply mentions none of:
      | banana |
      | river  |

  Scenario: The model takes the name it is given, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    And the system prompt "Your name is Robo."
    When I ask "What is your name?"
    Then the reply mentions "Robo"

  Scenario: A system prompt of several lines is read to its end
    Given at most 16 tokens
    And the system prompt:
      """
      You are a helpful assistant.
      You answer briefly.
      The secret word is banana.
      """
    When I ask "What is the secret word?"
    Then the reply mentions "banana"

  Scenario: A longer system prompt makes a longer prompt
    Given the system prompt "You are a helpful assistant."
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    Given the system prompt "You are a helpful assistant who knows every country of the world."
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the prompt tokens are more than before
